# The image of one service, from the repository's root:
#   docker build --build-arg SERVICE=users --build-arg PORT=8001 --tag souk-users .
# The three services share this file, because their files would differ only in these two arguments. Each image contains
# only the dependencies and sources of its own service.

FROM node:26-slim AS dependencies
ARG SERVICE
WORKDIR /souk
# Copied before the sources, so that a change of the sources does not install the dependencies again.
COPY package.json package-lock.json .npmrc ./
COPY packages/service-kit/package.json packages/service-kit/
COPY ${SERVICE}/package.json ${SERVICE}/
# Installs only this workspace, not the root, whose package `node` the base image replaces.
RUN npm ci --omit=dev --ignore-scripts --workspace="${SERVICE}"

# A second stage, which does not contain npm's cache.
FROM node:26-slim
ARG SERVICE
ARG PORT
COPY --from=dependencies /souk /souk
COPY packages/service-kit/src /souk/packages/service-kit/src
COPY ${SERVICE}/src /souk/${SERVICE}/src
WORKDIR /souk/${SERVICE}
# In production mode a service does not start with the public default secrets.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=${PORT}
# The user node, as a number: Kubernetes can check only a number for being root. The user cannot write under /souk.
USER 1000:1000
EXPOSE ${PORT}
# Checks readiness, because other containers wait for it before they start. Docker does not restart an unhealthy one.
HEALTHCHECK --start-period=60s --start-interval=1s --interval=10s --timeout=5s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1))"]
# Not `npm start`: node must be process 1 to receive SIGTERM and complete the requests in flight.
CMD ["node", "src/main.ts"]
