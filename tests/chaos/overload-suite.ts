import { createKatoClient } from "@kato-rpc/client";
import { expect, test } from "vitest";
import { formatCount, formatTable } from "../bench/measure.ts";
import { readExposition } from "../support/exposition.ts";
import { openFaultProxy } from "../support/faults/fault-proxy.ts";
import type { LatencySummary, LoadReport } from "../support/open-loop/load.ts";
import { load } from "../support/open-loop/load.ts";
import { startRedis } from "../support/redis-server.ts";
import type { Service } from "../support/service.ts";
import { startService } from "../support/service.ts";
import { waitFor } from "../support/wait-for.ts";

const SESSIONS = 200;
const CALLS_PER_REQUEST = 10;
const DEADLINE_MS = 5_000;
/** Far more than a refusal takes; the table tells how long 99 of 100 took. */
const REFUSED_WITHIN_MS = 50;
/** So long Redis takes to answer: what bounds the service is then not the processors, which the load shares with it. */
const STORE_LATENCY_MS = 10;
/** Nearly as many calls as may run and wait at once: they keep the service as busy as it can be. */
const CLOSED_LOOP = { connections: 14 };
const LIMITS = { KATO_LIMIT_CONCURRENCY: "50", KATO_QUEUE_LIMIT: "100" };
const MOST_CONNECTIONS = 10_000;
const MIB = 2 ** 20;

export type Overload = {
  seconds: number;
  peakSeconds: number;
  /** The part of the capacity that must be served at least; beside other tests the machine is not the same for long. */
  leastServed: number;
};

export function describeOverload({ seconds, peakSeconds, leastServed }: Overload): void {
  test(`a service that is offered three times its capacity for ${seconds} s serves as much as before, refuses the rest at once and is itself again`, async () => {
    await using redis = await startRedis();
    await using proxy = await openFaultProxy({ port: redis.port });
    await using service = await startService({
      store: `redis://127.0.0.1:${proxy.port}`,
      env: { ...LIMITS, KATO_DEADLINE_MS: String(DEADLINE_MS) },
    });
    const target = {
      url: service.url,
      sessionIds: await createSessions(service.url),
      callsPerRequest: CALLS_PER_REQUEST,
    };
    proxy.set({ direction: "down", latencyMs: STORE_LATENCY_MS });
    const atPeak = { ...target, ...CLOSED_LOOP };

    await load({ ...atPeak, seconds: 1 });
    const peak = await load({ ...atPeak, seconds: peakSeconds });
    const capacity = peak.latencies.ok.count / peak.seconds;
    const before = await readMemory(service);
    const memory = watchMemory(service);
    const overloaded = await load({
      ...target,
      seconds,
      connections: MOST_CONNECTIONS,
      ratePerSecond: 3 * capacity,
    });
    const mostMemory = await memory.stop();
    const after = await load({ ...atPeak, seconds: 2 + peakSeconds });
    const [, , third, ...later] = after.perSecond.slice(0, 2 + peakSeconds);
    console.log(formatLoads({ peak, overloaded, after }, [before, mostMemory]));

    const { ok, overloaded: refused } = overloaded.latencies;
    expect({ ...overloaded.failures, unsent: overloaded.unsent }).toEqual({ unsent: 0 });
    expect(refused.p50).toBeLessThan(REFUSED_WITHIN_MS);
    const servedAfter = mean([third, ...later].map((second) => second?.ok ?? 0));
    expect(ok.count / overloaded.seconds).toBeGreaterThan(
      leastServed * mean([capacity, servedAfter]),
    );
    expect(ok.p99).toBeLessThan(DEADLINE_MS);
    expect(mostMemory).toBeLessThan(1.5 * before + 64 * MIB);
    expect([third, ...later].map((second) => second?.overloaded)).toEqual(
      [third, ...later].map(() => 0),
    );
    expect(third?.ok).toBeGreaterThan(leastServed * servedAfter);
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

async function createSessions(url: string): Promise<string[]> {
  await using client = createKatoClient({ url });
  const sessions = Array.from({ length: SESSIONS }, (_, i) =>
    client.session.create({ nodeId: `node-${i % 20}` }),
  );
  return (await Promise.all(sessions)).map(({ sessionId }) => sessionId);
}

/** Bytes of the worker, asked for over HTTP as monitoring does, which is answered under any load. */
async function readMemory({ url }: Service): Promise<number> {
  const response = await fetch(`${url}/metrics`);
  const bytes = readExposition(await response.text()).get("kato_resident_memory_bytes");
  if (bytes === undefined) throw new Error("the metrics do not tell the workers' memory");
  return bytes;
}

/** Notes the most memory until it is stopped. */
function watchMemory(service: Service): { stop(): Promise<number> } {
  let most = 0;
  let isStopped = false;
  const look = async () => {
    most = Math.max(most, await readMemory(service));
    return isStopped;
  };
  const watching = waitFor(look, { what: "the end of the watch", timeoutMs: 120_000 });
  return {
    async stop() {
      isStopped = true;
      await watching;
      return most;
    },
  };
}

function formatLoads(loads: Record<string, LoadReport>, memory: readonly number[]): string {
  const header = ["load", "ok/s", "p50 ms", "p99 ms", "refused/s", "p50 ms", "p99 ms", "failed"];
  const rows = Object.entries(loads).map(([name, { seconds, latencies, failures }]) => [
    name,
    ...columnsOf(latencies.ok, seconds),
    ...columnsOf(latencies.overloaded, seconds),
    formatCount(Object.values(failures).reduce((sum, count) => sum + count, 0)),
  ]);
  const [before, most] = memory.map((bytes) => Math.round(bytes / MIB));
  return `${formatTable(header, rows)}\nmemory: ${before} MiB before, at most ${most} MiB`;
}

function columnsOf({ count, p50, p99 }: LatencySummary, seconds: number): string[] {
  const round = (ms: number | null) => (ms === null ? "–" : ms.toFixed(1));
  return [formatCount(Math.round(count / seconds)), round(p50), round(p99)];
}
