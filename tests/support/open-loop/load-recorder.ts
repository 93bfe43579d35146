import type { CallKind, LatencySummary, LoadReport } from "./load.ts";

/** Counts what became of calls, and how long they took. */
export class LoadRecorder {
  readonly #startedAt = performance.now();
  readonly #latencies: Record<CallKind, number[]> = { ok: [], overloaded: [], failed: [] };
  readonly #perSecond: Record<CallKind, number>[] = [];
  readonly #failures: Record<string, number> = {};

  /** `outcome`: "ok", an error's code, or CONNECTION_BROKEN. */
  record(outcome: string, dueAt: number): void {
    const now = performance.now();
    const kind = kindOf(outcome);
    if (kind === "failed") this.#failures[outcome] = (this.#failures[outcome] ?? 0) + 1;
    this.#latencies[kind].push(now - dueAt);
    const second = Math.floor((now - this.#startedAt) / 1_000);
    while (this.#perSecond.length <= second) {
      this.#perSecond.push({ ok: 0, overloaded: 0, failed: 0 });
    }
    const counts = this.#perSecond[second];
    if (counts !== undefined) counts[kind] += 1;
  }

  report(): Omit<LoadReport, "made" | "unsent" | "connections"> {
    const { ok, overloaded, failed } = this.#latencies;
    return {
      seconds: (performance.now() - this.#startedAt) / 1_000,
      failures: this.#failures,
      perSecond: this.#perSecond,
      latencies: {
        ok: summaryOf(ok),
        overloaded: summaryOf(overloaded),
        failed: summaryOf(failed),
      },
    };
  }
}

function kindOf(outcome: string): CallKind {
  if (outcome === "ok") return "ok";
  return outcome === "OVERLOADED" ? "overloaded" : "failed";
}

function summaryOf(latencies: readonly number[]): LatencySummary {
  const sorted = Float64Array.from(latencies).toSorted();
  const at = (part: number) => sorted[Math.floor(sorted.length * part)] ?? null;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), most: sorted.at(-1) ?? null };
}
