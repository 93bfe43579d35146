import type { Recommendation } from "@kato-rpc/shared/monitor.ts";

/** What an operator should do about the load of one worker (monitoring.md §1.2). Never empty. */
export function recommend(load: {
  current: number;
  peak: number;
  limit: number;
  workers: number;
}): Recommendation[] {
  const { current, peak, limit, workers } = load;
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
  if (current >= 0.9 * limit) {
    found.push({
      level: "urgent",
      message: `${current} calls run at once (${percentOf(current, limit)} % of the limit): new calls wait or are refused`,
    });
  }
  if (found.length > 0) return found;
  const message = `healthy: a worker's peak was ${peak} of ${limit} calls (${percentOf(peak, limit)} %)`;
  return [{ level: "info", message }];
}

export function percentOf(value: number, limit: number): number {
  return limit <= 0 ? 0 : Math.trunc((value / limit) * 100);
}
