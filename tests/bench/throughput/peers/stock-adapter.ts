/**
 * The peer of the throughput benchmark that has all of the service but its dispatch: the same services and store,
 * served by tRPC's own Fastify adapter. Takes a value for `KATO_STORE`, and prints its address.
 */
import { pino } from "pino";
import { createApp } from "../../../../server/app.ts";
import { resolveConfig } from "../../../../server/config.ts";
import { Serving } from "../../../../server/http/serving.ts";
import { steadyNow } from "../../../../server/steady-clock.ts";
import { openStore, retentionFor } from "../../../../server/stores/open-store.ts";
import { createStockHttp } from "../../../support/stock-adapter.ts";

const [storeUrl = ""] = process.argv.slice(2);
const config = resolveConfig({ KATO_STORE: storeUrl, KATO_ACCESS_LOG: "off" });
const store = await openStore(config.store, {
  retention: retentionFor(config),
  timeoutMs: config.deadlineMs,
  durability: config.durability,
  onConnectionError: ({ message }) => void process.stderr.write(`${message}\n`),
});
const app = createApp({
  config,
  store,
  log: pino({ level: "silent" }),
  serving: new Serving(),
  workerId: "stock",
  now: steadyNow,
});
// As the service has it; `http` of the app itself is not listened to.
app.start();
const http = createStockHttp(app.services, { deadlineMs: config.deadlineMs, now: steadyNow });

const url = await http.listen({ port: 0, host: "127.0.0.1", backlog: config.listenBacklog });
process.stdout.write(`peer on ${url}\n`);
