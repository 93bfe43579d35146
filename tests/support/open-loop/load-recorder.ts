import type { CallKind, GeneratorReport, LatencySummary } from "./load.ts";
import type { Outcome } from "./outcomes.ts";
import { REFUSED, REFUSED_BESIDE, WAITED_TOO_LONG } from "./outcomes.ts";

/** Counts what became of calls, and how long they took. */
export class LoadRecorder {
  readonly #startedAt = performance.now();
  readonly #latencies: Record<CallKind, number[]> = {
    ok: [],
    refused: [],
    beside: [],
    late: [],
    failed: [],
  };
  readonly #perSecond: Record<CallKind, number>[] = [];
  readonly #lags: number[] = [];
  readonly #failures: Record<string, number> = {};

  sent(dueAt: number): void {
    this.#lags.push(performance.now() - dueAt);
  }

  /** Of so many calls that were answered as one; one when left out. */
  record(outcome: Outcome, { dueAt, calls = 1 }: { dueAt: number; calls?: number }): void {
    const now = performance.now();
    const kind = kindOf(outcome);
    if (kind === "failed") this.#failures[outcome] = (this.#failures[outcome] ?? 0) + calls;
    for (let i = 0; i < calls; i++) this.#latencies[kind].push(now - dueAt);
    const second = Math.floor((now - this.#startedAt) / 1_000);
    while (this.#perSecond.length <= second) {
      this.#perSecond.push({ ok: 0, refused: 0, beside: 0, late: 0, failed: 0 });
    }
    const counts = this.#perSecond[second];
    if (counts !== undefined) counts[kind] += calls;
  }

  report(): Omit<GeneratorReport, "made" | "unsent" | "connections" | "cpuMs"> {
    return {
      seconds: (performance.now() - this.#startedAt) / 1_000,
      failures: this.#failures,
      perSecond: this.#perSecond,
      lag: summaryOf(this.#lags),
      latencies: {
        ok: summaryOf(this.#latencies.ok),
        refused: summaryOf(this.#latencies.refused),
        beside: summaryOf(this.#latencies.beside),
        late: summaryOf(this.#latencies.late),
        failed: summaryOf(this.#latencies.failed),
      },
    };
  }
}

function summaryOf(times: readonly number[]): LatencySummary {
  const sorted = Float64Array.from(times).toSorted();
  const at = (part: number) => sorted[Math.floor(sorted.length * part)] ?? null;
  return {
    count: sorted.length,
    p50: at(0.5),
    p99: at(0.99),
    p999: at(0.999),
    most: sorted.at(-1) ?? null,
  };
}

const KIND_OF: Record<Outcome, CallKind> = {
  ok: "ok",
  [REFUSED]: "refused",
  [REFUSED_BESIDE]: "beside",
  [WAITED_TOO_LONG]: "late",
};

function kindOf(outcome: Outcome): CallKind {
  return KIND_OF[outcome] ?? "failed";
}
