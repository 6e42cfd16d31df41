# The image of one service, from the repository's root:
#   docker build --build-arg SERVICE=users --build-arg PORT=8001 --tag souk-users .
# One file for three services, because three files would differ only in these two arguments. Each service still has its
# own image, with only its own dependencies and sources.

FROM node:26-slim AS dependencies
ARG SERVICE
WORKDIR /souk
# Before the sources, so that a changed source does not install the dependencies again.
COPY package.json package-lock.json .npmrc ./
COPY packages/service-kit/package.json packages/service-kit/
COPY ${SERVICE}/package.json ${SERVICE}/
# Only for this workspace, not for the others or the root. The base image replaces the root's package `node`.
RUN npm ci --omit=dev --ignore-scripts --workspace="${SERVICE}"

# A second stage, without npm's cache.
FROM node:26-slim
ARG SERVICE
ARG PORT
COPY --from=dependencies /souk /souk
COPY packages/service-kit/src /souk/packages/service-kit/src
COPY ${SERVICE}/src /souk/${SERVICE}/src
WORKDIR /souk/${SERVICE}
# Production by default: an image that is started by hand without secrets does not run.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=${PORT}
# A number, so that Kubernetes can verify that it is not root. This user can write nothing under /souk.
USER 1000:1000
EXPOSE ${PORT}
# Readiness, not liveness: a container that waits for this one needs it to respond. Docker itself only shows the state.
HEALTHCHECK --start-period=60s --start-interval=1s --interval=10s --timeout=5s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1))"]
# Not `npm start`: node is process 1, so SIGTERM reaches it and it can finish the requests in flight.
CMD ["node", "src/main.ts"]
