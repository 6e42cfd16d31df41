# Builds the image of one service. Run it from the repository's root:
#   docker build --build-arg SERVICE=users --build-arg PORT=8001 --tag souk-users .
# The three services share this file, because three files would differ only in these two arguments. Each image contains
# only the sources of its service and of packages/service-kit, and their dependencies.

FROM node:26-slim AS dependencies
ARG SERVICE
WORKDIR /souk
# These files are copied before the sources, so that a change of the sources does not install the dependencies again.
COPY package.json package-lock.json .npmrc ./
COPY packages/service-kit/package.json packages/service-kit/
COPY ${SERVICE}/package.json ${SERVICE}/
# Installs the dependencies of this workspace. The root's only dependency is Node, which the base image contains.
# Then deletes what nothing reads at run time: source maps and the types of the dependencies, a third of their size.
RUN npm ci --omit=dev --ignore-scripts --workspace="${SERVICE}" \
  && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete

# The final image starts from the base image again, so it does not contain npm's cache.
FROM node:26-slim
ARG SERVICE
ARG PORT
COPY --from=dependencies /souk /souk
COPY packages/service-kit/src /souk/packages/service-kit/src
COPY ${SERVICE}/src /souk/${SERVICE}/src
WORKDIR /souk/${SERVICE}
# In production mode, a service does not start with the public default secrets. Each deployment must set its own.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=${PORT}
# The user `node`, who cannot write to /souk. It is given by its number, because Kubernetes cannot verify that a user
# with a name is not root.
USER 1000:1000
EXPOSE ${PORT}
# Checks readiness, because other containers wait until this one can respond. Docker itself only displays the result.
HEALTHCHECK --start-period=60s --start-interval=1s --interval=10s --timeout=5s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1))"]
# Runs node without npm, so that node itself receives SIGTERM and can complete the requests in flight.
CMD ["node", "src/main.ts"]
