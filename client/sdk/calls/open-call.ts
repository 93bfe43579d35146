import type { Call, CallEffect } from "../dispatch/call.ts";
import { outcomeOfCall } from "../dispatch/call.ts";
import type { KatoError } from "../errors.ts";
import { withOutcome } from "../errors.ts";

/** What is known of a call before anything becomes of it. */
export type CallParts = Pick<
  Call,
  "kind" | "path" | "wire" | "wireSize" | "sessionId" | "retries" | "deadlineAt"
>;

/** What is to be told of a call's end: first `onEnd`, then one of the others. */
export type Settle = {
  onEnd(call: OpenCall): void;
  resolve(data: unknown): void;
  reject(error: KatoError): void;
};

/** A call whose caller waits, until it is answered or cut: ended before the answer. */
export class OpenCall implements Call {
  readonly kind: Call["kind"];
  readonly path: string;
  readonly wire: string | undefined;
  readonly wireSize: number;
  readonly sessionId: string | undefined;
  readonly retries: number;
  readonly deadlineAt: number;
  readonly effect: CallEffect = { isUnderWay: false, wasLost: false };
  attempts = 0;
  isOver = false;
  /** Cancels what would cut the call at its deadline. */
  stopTimer: () => void = nothing;
  /** Ends the watch of its signal. */
  stopWatch: () => void = nothing;
  /** Tells who carries the call that nobody waits for it any more. */
  leave: () => void = nothing;
  readonly #settle: Settle;
  #hasEnded = false;

  constructor(parts: CallParts, settle: Settle) {
    this.kind = parts.kind;
    this.path = parts.path;
    this.wire = parts.wire;
    this.wireSize = parts.wireSize;
    this.sessionId = parts.sessionId;
    this.retries = parts.retries;
    this.deadlineAt = parts.deadlineAt;
    this.#settle = settle;
  }

  succeed(data: unknown): void {
    if (this.#end()) this.#settle.resolve(data);
  }

  fail(error: KatoError): void {
    if (this.#end()) this.#settle.reject(error);
  }

  /** At once for the caller, whatever becomes of the request. */
  cut(error: KatoError): void {
    if (!this.#end()) return;
    const told = withOutcome(error, outcomeOfCall(this.effect));
    this.leave();
    this.#settle.reject(told);
  }

  /** False when it has ended already. */
  #end(): boolean {
    if (this.#hasEnded) return false;
    this.#hasEnded = true;
    this.stopTimer();
    this.stopWatch();
    this.#settle.onEnd(this);
    return true;
  }
}

function nothing(): void {}
