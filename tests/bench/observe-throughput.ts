/**
 * Observes per second through the service, unbatched and in batches of 50, beside a bare Fastify +
 * ioredis server that runs the same script once per request. One worker each, one Redis, the load
 * generator on the same machine; targets interleaved, medians over the rounds.
 */
import { fileURLToPath } from "node:url";
import autocannon from "autocannon";
import { mutate } from "../support/clients/fetch-client.ts";
import { startProcess } from "../support/processes.ts";
import { startRedis } from "../support/redis-server.ts";
import { startService } from "../support/service.ts";
import { formatCount, formatRatio, formatTable, interleave, spreadOf } from "./measure.ts";

const CONNECTIONS = 50;
const BATCH = 50;
/** Fewer for batches: 50 × 50 calls at once would be more than a worker's queue takes by default. */
const BATCH_CONNECTIONS = 10;

export type ThroughputRow = {
  name: "bare" | "unbatched" | "batches" | "batchesOnOne";
  target: string;
  perSecond: number;
  least: number;
  most: number;
  ratio: number;
};

export async function measureThroughput(options: {
  rounds: number;
  seconds: number;
  onRound?: (round: number) => void;
}): Promise<ThroughputRow[]> {
  await using redis = await startRedis();
  await using service = await startService({ store: redis.url });
  await using bare = await startProcess({
    command: process.execPath,
    args: [fileURLToPath(new URL("./bare-server.ts", import.meta.url)), redis.url],
  });
  const [, bareUrl = ""] = await bare.waitForLine(/bare server on (\S+)/);

  const bareSessions = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => createBare(bareUrl)),
  );
  const sessions = await Promise.all(
    Array.from({ length: CONNECTIONS * BATCH }, (_, i) => create(service.url, `bench-${i % 20}`)),
  );
  const load = { seconds: options.seconds };
  const figures = await interleave(
    {
      bare: () =>
        send({ ...load, url: `${bareUrl}/observe`, calls: 1 }, (i) =>
          JSON.stringify({ sessionId: bareSessions[i], strings: ["symbol"] }),
        ),
      unbatched: () =>
        send({ ...load, url: `${service.url}/trpc/session.observe`, calls: 1 }, (i) =>
          JSON.stringify({ json: { sessionId: sessions[i], strings: ["symbol"] } }),
        ),
      batches: () =>
        send({ ...load, url: batchUrl(service.url), calls: BATCH }, (i) =>
          batchBody((k) => sessions[i * BATCH + k]),
        ),
      batchesOnOne: () =>
        send({ ...load, url: batchUrl(service.url), calls: BATCH }, (i) =>
          batchBody(() => sessions[i]),
        ),
    },
    options,
  );
  const names: Record<keyof typeof figures, string> = {
    bare: "bare Fastify + ioredis, same script",
    unbatched: "observe, unbatched",
    batches: `observe, batches of ${BATCH}, as many sessions`,
    batchesOnOne: `observe, batches of ${BATCH}, one session`,
  };
  const baseline = spreadOf(figures.bare).median;
  return (Object.keys(figures) as ThroughputRow["name"][]).map((name) => {
    const { median, least, most } = spreadOf(figures[name]);
    const row = { name, target: names[name], perSecond: median, least, most };
    return { ...row, ratio: median / baseline };
  });
}

export function printThroughput(rows: readonly ThroughputRow[]): string {
  return formatTable(
    ["target", "observes/s", "least", "most", "to bare"],
    rows.map((row) => [
      row.target,
      formatCount(row.perSecond),
      formatCount(row.least),
      formatCount(row.most),
      formatRatio(row.ratio),
    ]),
  );
}

/** Observes per second over `seconds` of keep-alive requests; throws when one is not answered with 200. */
async function send(
  target: { url: string; calls: number; seconds: number },
  bodyOfConnection: (connection: number) => string,
): Promise<number> {
  let connection = 0;
  const result = await autocannon({
    url: target.url,
    method: "POST",
    headers: { "content-type": "application/json" },
    connections: target.calls === 1 ? CONNECTIONS : BATCH_CONNECTIONS,
    duration: target.seconds,
    setupClient(client) {
      client.setBody(bodyOfConnection(connection));
      connection += 1;
    },
  });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${target.url}: ${result.non2xx} refusals, ${result.errors} errors`);
  }
  return (result["2xx"] * target.calls) / result.duration;
}

function batchUrl(url: string): string {
  return `${url}/trpc/${Array.from({ length: BATCH }, () => "session.observe").join(",")}?batch=1`;
}

function batchBody(sessionOf: (call: number) => string | undefined): string {
  const calls = Array.from({ length: BATCH }, (_, i) => [
    i,
    { json: { sessionId: sessionOf(i), strings: ["symbol"] } },
  ]);
  return JSON.stringify(Object.fromEntries(calls));
}

async function create(url: string, nodeId: string): Promise<string> {
  const { sessionId } = await mutate<{ sessionId: string }>(url, "session.create", { nodeId });
  return sessionId;
}

async function createBare(url: string): Promise<string> {
  const response = await fetch(`${url}/create`, { method: "POST" });
  const { sessionId } = (await response.json()) as { sessionId: string };
  return sessionId;
}
