# The image of one service, from the repository's root:
#   docker build --build-arg SERVICE=users --build-arg PORT=8001 --tag souk-users .
# One file for the three: they would differ in these two words, and what is mended in one must not be forgotten in
# the others. Each has an image of its own all the same, with its own dependencies and sources alone.

FROM node:26-slim AS dependencies
ARG SERVICE
WORKDIR /souk
# Before the sources, so that a change of those installs nothing again.
COPY package.json package-lock.json .npmrc ./
COPY packages/service-kit/package.json packages/service-kit/
COPY ${SERVICE}/package.json ${SERVICE}/
# Of this one workspace: neither the others' nor the root's, whose package `node` the base image stands in for.
RUN npm ci --omit=dev --ignore-scripts --workspace="${SERVICE}"

# A stage of its own leaves npm's cache behind.
FROM node:26-slim
ARG SERVICE
ARG PORT
COPY --from=dependencies /souk /souk
COPY packages/service-kit/src /souk/packages/service-kit/src
COPY ${SERVICE}/src /souk/${SERVICE}/src
WORKDIR /souk/${SERVICE}
# Production unless somebody says otherwise: an image that is started by hand, without secrets, refuses to run.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=${PORT}
# By number, so that Kubernetes can tell that it is not root. Nothing under /souk is theirs to write.
USER 1000:1000
EXPOSE ${PORT}
# Ready, not live: whoever waits for this container wants to be answered. Docker itself only shows it.
HEALTHCHECK --start-period=60s --start-interval=1s --interval=10s --timeout=5s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1))"]
# Not `npm start`: node is process 1, so SIGTERM reaches it, and what is in flight is answered.
CMD ["node", "src/main.ts"]
