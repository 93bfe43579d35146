import { expect, test } from "vitest";
import { openFaultProxy } from "../support/faults/fault-proxy.ts";
import { formatOverload, overload, servedPerSecond } from "../support/open-loop/overload.ts";
import { startRedis } from "../support/redis-server.ts";
import { startService } from "../support/service.ts";

const DEADLINE_MS = 5_000;
/** Of requests that are refused whole, from when they were due; one of which some calls run is answered with these. */
const REFUSED_WITHIN_MS = 50;
/** So long Redis takes to answer: what bounds the service is then not the processors, which the load shares with it. */
const STORE_LATENCY_MS = 10;
const LIMITS = { KATO_LIMIT_CONCURRENCY: "50", KATO_QUEUE_LIMIT: "100" };
/** Nearly as many calls as may run and wait at once: they keep the service as busy as it can be. */
const CLOSED_LOOP = { callsPerRequest: 10, connections: 14 };
const MIB = 2 ** 20;
/** Begins what the test fails with where nothing but a time or a rate is not as it should be. */
const TOO_SLOW = "slower than due";
/** Whatever else the machine does for a while makes times and rates worse, never better: they are measured again. */
const RETRY = {
  count: 2,
  condition: ({ message }: { message?: string }) => message?.startsWith(TOO_SLOW) ?? false,
};

export type OverloadSize = {
  seconds: number;
  capacitySeconds: number;
  /** The part of the capacity that must be served at least; beside other tests the machine is not the same for long. */
  leastServed: number;
  /** Which of the refusals in order of their time must be told so soon; beside other tests half of them. */
  refusedInTime: "p50" | "p99";
};

export function describeOverload(size: OverloadSize): void {
  const { seconds, capacitySeconds, leastServed, refusedInTime } = size;
  test(
    `a service that is offered three times its capacity for ${seconds} s serves as much as before, refuses the rest at once and is itself again`,
    { retry: RETRY },
    async () => {
      await using redis = await startRedis();
      await using proxy = await openFaultProxy({ port: redis.port });
      await using service = await startService({
        store: `redis://127.0.0.1:${proxy.port}`,
        env: { ...LIMITS, KATO_DEADLINE_MS: String(DEADLINE_MS) },
      });
      proxy.set({ direction: "down", latencyMs: STORE_LATENCY_MS });

      const report = await overload({
        url: service.url,
        ...CLOSED_LOOP,
        seconds: { capacity: capacitySeconds, overload: seconds, after: 2 + capacitySeconds },
      });
      console.log(formatOverload(report));

      const { loads, memory } = report;
      const { failures, unsent, latencies, lag } = loads.overload;
      // Two seconds to recover; of the last one there may be only a part.
      const recovered = loads.after.perSecond.slice(2, 2 + capacitySeconds);
      const servedAfter = mean(recovered.map(({ ok }) => ok));
      const capacity = mean([servedPerSecond(loads.capacity), servedAfter]);
      expect({ ...failures, unsent }).toEqual({ unsent: 0 });
      expect(latencies.beside.p99 ?? 0).toBeLessThan(DEADLINE_MS);
      // Counted from when the call was due, as are those of the refusals.
      expect(latencies.ok.p99).toBeLessThan(DEADLINE_MS);
      expect(memory.most).toBeLessThan(1.5 * memory.before + 64 * MIB);
      expect(recovered).toEqual(
        recovered.map(({ ok }) => ({ ok, refused: 0, beside: 0, late: 0, failed: 0 })),
      );
      // On a machine busy with other things the generator is late itself; the service waits as long for a processor, and
      // the answer to be read.
      const refusedWithin = REFUSED_WITHIN_MS + 3 * (lag[refusedInTime] ?? 0);
      expect(latencies.refused[refusedInTime], TOO_SLOW).toBeLessThan(refusedWithin);
      expect(servedPerSecond(loads.overload), TOO_SLOW).toBeGreaterThan(leastServed * capacity);
      expect(recovered[0]?.ok, TOO_SLOW).toBeGreaterThan(leastServed * servedAfter);
    },
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
