import type { RecordedCall } from "./recorded-call.ts";

export interface Violation {
  readonly session: string;
  readonly rule:
    | "replay"
    | "repeated-time"
    | "gap"
    | "real-time-order"
    | "stale-read"
    | "future-read"
    | "wrong-content"
    | "wrong-length";
  readonly message: string;
  readonly calls: readonly RecordedCall[];
}

export type Verdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly violations: readonly Violation[] };

export interface CheckOptions {
  /** Number of newest events the session keeps; 1000 unless given. */
  readonly stmLimit?: number;
  /** Whether a recorded call may have sent its request more than once, and so may replay itself. */
  readonly retriesInsideCalls?: boolean;
}

export function violation(
  rule: Violation["rule"],
  message: string,
  calls: readonly RecordedCall[],
): Violation {
  return { session: calls[0]?.session ?? "", rule, message, calls };
}
