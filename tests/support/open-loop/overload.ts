import { createKatoClient } from "@kato-rpc/client";
import { formatCount, formatTable } from "../../bench/measure.ts";
import { readExposition } from "../exposition.ts";
import { waitFor } from "../wait-for.ts";
import type { LatencySummary, LoadReport } from "./load.ts";
import { load } from "./load.ts";

const SESSIONS = 200;
const MOST_CONNECTIONS = 10_000;
const MIB = 2 ** 20;

export type OverloadReport = {
  /** Closed loop, before and after; open loop at three times the rate of the first between them. */
  loads: Record<"capacity" | "overload" | "after", LoadReport>;
  /** Of the workers, in bytes. */
  memory: { before: number; most: number };
};

/** Offers a service three times as many observes as it answered when each connection waited for its answers. */
export async function overload(options: {
  url: string;
  callsPerRequest: number;
  /** Of the closed loop. */
  connections: number;
  seconds: { capacity: number; overload: number; after: number };
}): Promise<OverloadReport> {
  const { url, callsPerRequest, connections, seconds } = options;
  const target = { url, callsPerRequest, sessionIds: await createSessions(url) };
  await load({ ...target, connections, seconds: 1 });
  const capacity = await load({ ...target, connections, seconds: seconds.capacity });
  const before = await readMemory(url);
  const memory = watchMemory(url);
  const overloaded = await load({
    ...target,
    connections: MOST_CONNECTIONS,
    seconds: seconds.overload,
    ratePerSecond: 3 * servedPerSecond(capacity),
  });
  const most = await memory.stop();
  const after = await load({ ...target, connections, seconds: seconds.after });
  return { loads: { capacity, overload: overloaded, after }, memory: { before, most } };
}

export function servedPerSecond({ latencies, seconds }: LoadReport): number {
  return latencies.ok.count / seconds;
}

async function createSessions(url: string): Promise<string[]> {
  await using client = createKatoClient({ url });
  const sessions = Array.from({ length: SESSIONS }, (_, i) =>
    client.session.create({ nodeId: `node-${i % 20}` }),
  );
  return (await Promise.all(sessions)).map(({ sessionId }) => sessionId);
}

/** Asked for over HTTP as monitoring does, which is answered under any load. */
async function readMemory(url: string): Promise<number> {
  const response = await fetch(`${url}/metrics`);
  const bytes = readExposition(await response.text()).get("kato_resident_memory_bytes");
  if (bytes === undefined) throw new Error("the metrics do not tell the workers' memory");
  return bytes;
}

/** Notes the most memory until it is stopped. */
function watchMemory(url: string): { stop(): Promise<number> } {
  let most = 0;
  let isStopped = false;
  const look = async () => {
    most = Math.max(most, await readMemory(url));
    return isStopped;
  };
  const watching = waitFor(look, {
    what: "the end of the load",
    timeoutMs: 600_000,
    intervalMs: 250,
  });
  return {
    async stop() {
      isStopped = true;
      await watching;
      return most;
    },
  };
}

export function formatOverload({ loads, memory }: OverloadReport): string {
  const header = [
    "load",
    "ok/s",
    "p50 ms",
    "p99 ms",
    "refused/s",
    "p50 ms",
    "p99 ms",
    "beside/s",
    "p99 ms",
    "late",
    "failed",
  ];
  const rows = Object.entries(loads).map(([name, { seconds, latencies, failures }]) => [
    name,
    ...columnsOf(latencies.ok, seconds),
    ...columnsOf(latencies.refused, seconds),
    ...columnsOf(latencies.beside, seconds).toSpliced(1, 1),
    formatCount(latencies.late.count),
    formatCount(Object.values(failures).reduce((sum, count) => sum + count, 0)),
  ]);
  const [before, most] = [memory.before, memory.most].map((bytes) => Math.round(bytes / MIB));
  const lag = loads.overload.lag.p99?.toFixed(1);
  return `${formatTable(header, rows)}\nthe generator's own lag: p99 ${lag} ms\nmemory: ${before} MiB before, at most ${most} MiB`;
}

function columnsOf({ count, p50, p99 }: LatencySummary, seconds: number): string[] {
  const round = (ms: number | null) => (ms === null ? "–" : ms.toFixed(1));
  return [formatCount(Math.round(count / seconds)), round(p50), round(p99)];
}
