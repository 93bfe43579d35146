import { Linearization } from "./linearization.ts";
import { findCauses, findReplayViolations, mergeAttempts, readOrClear } from "./operations.ts";
import type { RecordedCall } from "./recorded-call.ts";
import type { CheckOptions, Verdict } from "./verdict.ts";

/** Checks each session on its own; observation ids belong to their session. */
export function checkHistory(calls: readonly RecordedCall[], options?: CheckOptions): Verdict {
  const violations = [...Map.groupBy(calls, (call) => call.session).values()]
    .map((ofOneSession) => checkSessionHistory(ofOneSession, options))
    .flatMap((verdict) => (verdict.ok ? [] : verdict.violations));
  return violations.length === 0 ? { ok: true } : { ok: false, violations };
}

/**
 * Checks calls that all concern one session, empty before the first. O(n · stmLimit) while outcomes are known and
 * clears overlap little; exponential at worst in the unknown outcomes and clears that overlap. Reports every
 * contradictory replay, or else the one violation met after the longest explainable prefix. Throws when a history is
 * too ambiguous to decide, or when attempts of unknown outcome at one observation carry different events.
 */
export function checkSessionHistory(
  calls: readonly RecordedCall[],
  { stmLimit = 1000, retriesInsideCalls = false }: CheckOptions = {},
): Verdict {
  const observeCalls = calls.filter((call) => call.kind === "observe");
  const observations = [...Map.groupBy(observeCalls, (call) => call.observationId).values()].map(
    (attempts) => findCauses(attempts, retriesInsideCalls),
  );
  const violations = observations.flatMap(findReplayViolations);
  if (violations.length > 0) {
    return { ok: false, violations };
  }
  const operations = [...observations.flatMap(mergeAttempts), ...calls.flatMap(readOrClear)];
  const violation = new Linearization(operations, stmLimit).findViolation();
  return violation === undefined ? { ok: true } : { ok: false, violations: [violation] };
}
