# The webhook's image: built where npm is, run where nothing but Node is. There is no shell in it, and it runs with a
# read-only root, as any user. Probes ask /healthz and /readyz on 8080, so there is no HEALTHCHECK.
#
#   docker build -t floe-secrets-webhook .
#
# `npm run image` makes the same image without Docker, and reads what is behind the last FROM.
ARG NODE_IMAGE=node:24-trixie-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian13:nonroot

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY tools tools
COPY src src
RUN node tools/build.ts

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.2.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="floe-secrets-webhook"
LABEL org.opencontainers.image.description="Injects synced Secrets into pods, and refuses pods whose Secrets are not there"
LABEL org.opencontainers.image.licenses="Apache-2.0"
LABEL org.opencontainers.image.version="${VERSION}"
LABEL org.opencontainers.image.revision="${REVISION}"
WORKDIR /app
COPY LICENSE /app/
COPY --from=build /src/dist /app
USER 65532:65532
EXPOSE 8443 8080
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=4", "--liftoff-only", "--expose-gc", "/app/cli.mjs"]
CMD ["serve"]
