import { isKatoError } from "@kato-rpc/client";
import { checkAll } from "../support/history/check-all.ts";
import { describeFinding } from "../support/history/finding.ts";
import type { NodeContents } from "../support/history/node-contents.ts";
import type { SessionCall } from "../support/history/session-call.ts";
import { findIdFaults, isIdReused } from "./check-ids.ts";
import { findOvertaken } from "./check-order.ts";

/** What is left when a schedule is over. */
export type Outcome = {
  readonly calls: readonly SessionCall[];
  /** The calls of each client on each session, as it made them. */
  readonly lanes: readonly (readonly SessionCall[])[];
  /** Of each session one that was made when everything was well again. */
  readonly lastCalls: readonly SessionCall[];
  readonly nodes: readonly NodeContents[];
  readonly stmLimit: number;
  /** Whether anything went wrong. */
  readonly hasFaults: boolean;
};

/** What contradicts the promises of service and SDK, each in words. */
export function findViolations(outcome: Outcome): string[] {
  const { calls, lanes, nodes, stmLimit } = outcome;
  const overtaken = lanes.flatMap((made) => {
    const ofSession = calls.filter(({ session }) => session === made[0]?.session);
    return findOvertaken(made, ofSession);
  });
  const findings = checkAll(calls, nodes, { stmLimit }).map(describeFinding);
  return [...findings, ...overtaken, ...findIdFaults(calls), ...findNeedlessFailures(outcome)];
}

/** Who does not come through though nothing is in the way. */
function findNeedlessFailures({ calls, lastCalls, hasFaults }: Outcome): string[] {
  const due = hasFaults ? lastCalls : [...calls, ...lastCalls];
  const failed = due.filter((call) => call.outcome !== "ok" && !isAnswered(call));
  return failed.map(({ kind }) => `${kind} failed though nothing was wrong any more`);
}

/** Refused for what it asked, by a service that was there to refuse it. */
function isAnswered(call: SessionCall): boolean {
  if (call.outcome !== "failed") return false;
  if (call.refusal !== undefined || isIdReused(call)) return true;
  return isKatoError(call.error, "TIME_CONFLICT");
}
