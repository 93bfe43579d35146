FROM node:26-slim AS dependencies
WORKDIR /app
# Manifests alone, so that a change of sources does not install anew.
COPY package.json package-lock.json ./
COPY shared/package.json shared/
COPY server/package.json server/
COPY client/sdk/package.json client/sdk/
# TypeScript comes as a peer of @trpc/server and makes half the size; only the types need it.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
    && rm -r node_modules/typescript node_modules/@typescript

FROM node:26-slim
ENV NODE_ENV=production \
    KATO_HOST=0.0.0.0 \
    KATO_PORT=8000 \
    KATO_STORE=sqlite:/data/kato.db \
    KATO_LOG_FORMAT=json
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules/
COPY package.json LICENSE ./
COPY shared shared/
COPY server server/
COPY client/sdk client/sdk/
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 8000
STOPSIGNAL SIGTERM
# Alive, not ready: a restart would not bring back a store that is away.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
    CMD ["node", "--eval", "fetch('http://127.0.0.1:' + process.env.KATO_PORT + '/health').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "server/cli.ts"]
CMD ["serve"]
