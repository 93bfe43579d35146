import type { Call, Station } from "../sessions/call.ts";
import type { Logger } from "../log.ts";
import { reasonOf } from "../log.ts";
import type { Admission } from "../monitor/admission.ts";

export type CallLogRules = { accessLog: boolean; slowMs: number; workerId: string };

/** One call as the service and the log see it. */
export class TracedCall implements Call {
  readonly requestId: string;
  readonly procedure: string;
  readonly deadlineAt: number;
  readonly startedAt = performance.now();
  readonly #log: Logger | undefined;
  sessionId: string | undefined;
  nodeId: string | undefined;
  /** Told when the call has its place in its session's order. */
  onQueued: (() => void) | undefined;
  /** Where the call runs. */
  admission: Admission | undefined;

  constructor(identity: { requestId: string; procedure: string; deadlineAt: number }, log: Logger) {
    this.requestId = identity.requestId;
    this.procedure = identity.procedure;
    this.deadlineAt = identity.deadlineAt;
    this.#log = log.isLevelEnabled("debug") ? log : undefined;
  }

  queued(): void {
    this.onQueued?.();
  }

  aside<T>(promise: Promise<T>): Promise<T> {
    return this.admission?.stepAside(promise) ?? promise;
  }

  trace(station: Station, fields?: Record<string, number | string | boolean>): void {
    const { requestId, procedure } = this;
    this.#log?.debug({ requestId, procedure, station, ...fields }, station);
  }
}

/** Writes the one line of a finished call; never what it carried. */
export class CallLog {
  readonly #log: Logger;
  readonly #rules: CallLogRules;

  constructor(log: Logger, rules: CallLogRules) {
    this.#log = log;
    this.#rules = rules;
  }

  /** Whether it writes of every call, not only of what stands out. */
  get isComplete(): boolean {
    return this.#rules.accessLog || this.#log.isLevelEnabled("debug");
  }

  /** `outcome`: "ok" or the error's code. */
  finished(call: TracedCall, outcome: string, durationMs: number): void {
    const { accessLog, slowMs, workerId } = this.#rules;
    const isSlow = slowMs > 0 && durationMs >= slowMs;
    if (!accessLog && !isSlow) return;
    const line = {
      requestId: call.requestId,
      procedure: call.procedure,
      sessionId: call.sessionId,
      nodeId: call.nodeId,
      workerId,
      durationMs: Math.round(durationMs * 1_000) / 1_000,
      outcome,
    };
    if (isSlow) this.#log.warn(line, "slow call");
    else this.#log.info(line, "call");
  }

  /** The whole of a bug, under the id that its caller was told. */
  bug(call: Pick<TracedCall, "requestId" | "procedure">, error: unknown): void {
    const { requestId, procedure } = call;
    this.#log.error({ requestId, procedure, err: error }, "internal error");
  }

  /** Why a store cannot be reached; the caller was told only that. */
  storeFailure(call: Pick<TracedCall, "requestId" | "procedure">, cause: unknown): void {
    const { requestId, procedure } = call;
    this.#log.warn({ requestId, procedure, reason: reasonOf(cause) }, "store unavailable");
  }
}
