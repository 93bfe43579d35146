import type { Operation } from "@trpc/client";
import type { CallEffect } from "../dispatch/call.ts";
import type { CallOptions, ResolvedOptions } from "../options.ts";
import { checkRetries, checkTimeout } from "../options.ts";

/** What a call's tRPC context may hold: `client.raw.session.stm.query(input, { context: { retries: 0 } })`. */
export type CallContext = Pick<CallOptions, "timeoutMs" | "retries">;

/** What the links tell each other about a call, in its context. */
export type CallLimits = {
  /** By the platform's clock. */
  deadlineAt: number;
  retries: number;
  effect: CallEffect;
};

const LIMITS_KEY = "kato.limits";

/** @throws KatoError INVALID_INPUT for a call option out of range */
export function withLimits(
  op: Operation,
  defaults: ResolvedOptions,
): { op: Operation; timeoutMs: number; effect: CallEffect } {
  const context = op.context as CallContext;
  const timeoutMs = checkTimeout("timeoutMs", context.timeoutMs ?? defaults.timeoutMs);
  const retries = checkRetries(context.retries ?? defaults.retries);
  const effect: CallEffect = { isUnderWay: false, wasLost: false };
  const limits: CallLimits = { deadlineAt: defaults.platform.now() + timeoutMs, retries, effect };
  return { op: { ...op, context: { ...op.context, [LIMITS_KEY]: limits } }, timeoutMs, effect };
}

export function limitsOf(op: Operation): CallLimits {
  return op.context[LIMITS_KEY] as CallLimits;
}
