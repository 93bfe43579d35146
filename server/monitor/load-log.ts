import type { LoadStatus } from "@kato-rpc/shared/monitor.ts";
import type { Logger } from "../log.ts";
import type { Admission } from "./admission.ts";
import { percentOf } from "./recommendations.ts";

const REPORT_INTERVAL_MS = 60_000;
/** A load that swings around a threshold is told at most this often. */
const QUIET_MS = 1_000;

const RANK: Record<LoadStatus, number> = { healthy: 0, warning: 1, critical: 2 };

/** Writes the load to the log: a line when a threshold is crossed upwards, and a report every minute. */
export function watchLoad(log: Logger, limit: number) {
  let timer: NodeJS.Timeout | undefined;
  let before: LoadStatus = "healthy";
  const toldAt: Record<LoadStatus, number> = {
    healthy: 0,
    warning: Number.NEGATIVE_INFINITY,
    critical: Number.NEGATIVE_INFINITY,
  };
  return {
    onStatus(status: LoadStatus, running: number): void {
      const rises = RANK[status] > RANK[before];
      before = status;
      if (!rises || performance.now() - toldAt[status] < QUIET_MS) return;
      toldAt[status] = performance.now();
      const line = { status, running, limit, utilizationPercent: percentOf(running, limit) };
      if (status === "critical") log.error(line, "95 % of the concurrency limit reached");
      else log.warn(line, "80 % of the concurrency limit reached");
    },
    start(admission: Pick<Admission, "running" | "waiting" | "peak">): void {
      timer = setInterval(() => {
        const { running, waiting, peak } = admission;
        const utilizationPercent = percentOf(running, limit);
        const peakPercent = percentOf(peak, limit);
        const line = { running, waiting, utilizationPercent, peak, peakPercent, limit };
        log.info(line, "concurrency");
      }, REPORT_INTERVAL_MS);
      timer.unref();
    },
    stop(): void {
      clearInterval(timer);
    },
  };
}
