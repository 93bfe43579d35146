import { isKatoError } from "@kato-rpc/client";
import type { SessionCall } from "../support/history/session-call.ts";

/** A call whose own name here is not the id that it was sent with. */
type Sent = SessionCall & { readonly sentId?: string | undefined };

/** Whether each id stood for one change: done once, whatever else was sent with it, and told again to who repeats it. */
export function findIdFaults(calls: readonly SessionCall[]): string[] {
  return [...findMixedContents(calls), ...findRefusedRepeats(calls), ...findLostDeletes(calls)];
}

/**
 * Of observations sent with one id and different content only one takes effect, and one is refused for that only where
 * there was another.
 */
function findMixedContents(calls: readonly Sent[]): string[] {
  const observations = calls.filter((call) => call.kind === "observe");
  const byId = Map.groupBy(observations, ({ session, id, sentId = id }) => `${session} ${sentId}`);
  return [...byId.values()].flatMap((sent) => {
    const done = new Set(sent.filter(({ outcome }) => outcome === "ok").map(({ id }) => id));
    const faults = done.size > 1 ? [`one id was taken for ${[...done].join(" and ")}`] : [];
    for (const call of sent.filter(isIdReused)) {
      const hasOther = sent.some(({ id, outcome }) => id !== call.id && outcome !== "failed");
      if (!hasOther) faults.push(`${call.id} was refused as something else, which nobody did`);
    }
    return faults;
  });
}

/** What was acknowledged is answered to a later repeat as well, though it would be refused if it came only now. */
function findRefusedRepeats(calls: readonly SessionCall[]): string[] {
  const acknowledged = new Map<string, number>();
  for (const call of calls) {
    const key = keyOf(call);
    if (call.outcome !== "ok" || key === undefined) continue;
    acknowledged.set(key, Math.min(acknowledged.get(key) ?? Infinity, call.endedAt));
  }
  const isRefusedRepeat = (call: SessionCall) => {
    const at = acknowledged.get(keyOf(call) ?? "") ?? Infinity;
    return at < call.startedAt && isRefusedNow(call);
  };
  return calls.filter(isRefusedRepeat).map((call) => `a repeat of ${keyOf(call)} was refused`);
}

/** The only one to delete a session is told so, though an attempt whose reply was lost has done it. */
function findLostDeletes(calls: readonly SessionCall[]): string[] {
  const deletes = calls.filter((call) => call.kind === "delete");
  const bySession = Map.groupBy(deletes, ({ session }) => session);
  return [...bySession].flatMap(([session, [only, ...others]]) => {
    const isLost = others.length === 0 && only?.outcome === "ok" && !only.reply.deleted;
    return isLost ? [`the only delete of ${session} was told that there was nothing`] : [];
  });
}

function keyOf(call: SessionCall): string | undefined {
  return "id" in call ? `${call.kind} ${call.id} of ${call.session}` : undefined;
}

/** Refused for how the session is at the moment. */
function isRefusedNow(call: SessionCall): boolean {
  if (call.outcome === "ok") return false;
  return call.refusal === "EMPTY_STM" || isKatoError(call.error, "TIME_CONFLICT");
}

/** Refused since its id came with other content before. */
export function isIdReused(call: SessionCall): boolean {
  if (call.outcome === "ok" || !isKatoError(call.error, "INVALID_INPUT")) return false;
  return call.error.details["reason"] === "ID_REUSED";
}
