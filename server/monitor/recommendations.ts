import type { Recommendation } from "@kato-rpc/shared/monitor.ts";

/** The load of one worker: calls now, the most at once since its start, and how many it admits. */
export type WorkerLoad = { current: number; peak: number; limit: number };

/**
 * What an operator should do about the load (monitoring.md §1.2), by the worker that is or was
 * nearest to its limit: workers of other machines may have other limits. `loads` holds at least one, and so does the result.
 */
export function recommend(loads: readonly WorkerLoad[], workers: number): Recommendation[] {
  const { peak, limit } = highest(loads, (load) => load.peak / load.limit);
  const busiest = highest(loads, (load) => load.current / load.limit);
  const found: Recommendation[] = [];
  const advice = `raise KATO_WORKERS (now ${workers}) or KATO_LIMIT_CONCURRENCY (now ${limit})`;
  if (peak >= 0.95 * limit) {
    found.push({
      level: "critical",
      message: `a worker's peak of ${peak} calls reached 95 % of its limit of ${limit}: ${advice}`,
    });
  } else if (peak >= 0.8 * limit) {
    found.push({
      level: "warning",
      message: `a worker's peak of ${peak} calls reached 80 % of its limit of ${limit}: consider to ${advice}`,
    });
  }
  if (busiest.current >= 0.9 * busiest.limit) {
    const percent = percentOf(busiest.current, busiest.limit);
    found.push({
      level: "urgent",
      message: `a worker runs ${busiest.current} calls at once (${percent} % of its limit): new calls wait or are refused`,
    });
  }
  if (found.length > 0) return found;
  const message = `healthy: a worker's peak was ${peak} of ${limit} calls (${percentOf(peak, limit)} %)`;
  return [{ level: "info", message }];
}

function highest(loads: readonly WorkerLoad[], ratio: (load: WorkerLoad) => number): WorkerLoad {
  return loads.reduce((most, load) => (ratio(load) > ratio(most) ? load : most));
}

export function percentOf(value: number, limit: number): number {
  return limit <= 0 ? 0 : Math.trunc((value / limit) * 100);
}
