import { isDeepStrictEqual } from "node:util";
import type { Finding } from "./finding.ts";
import type { SessionCall } from "./session-call.ts";

/** What stands behind one call, or behind all attempts at one change; happens within [earliest, latest]. */
export interface Deed {
  readonly calls: readonly SessionCall[];
  /** Any of the calls, with a reply if one was heard. */
  readonly call: SessionCall;
  readonly earliest: number;
  /** Infinity if it may also never have happened. */
  readonly latest: number;
}

/** Leaves out what surely had no effect, and reads without a reply. */
export function findDeeds(calls: readonly SessionCall[]): { deeds: Deed[]; findings: Finding[] } {
  const deeds: Deed[] = [];
  const findings: Finding[] = [];
  const attempts = Map.groupBy(calls, (call) => ("id" in call ? `${call.kind} ${call.id}` : call));
  for (const [, alike] of attempts) {
    const finding = alike.length > 1 ? findReplayFault(alike) : undefined;
    if (finding !== undefined) findings.push(finding);
    else deeds.push(...mergeAttempts(alike));
  }
  return { deeds, findings };
}

/** Replies to one id are the first reply again, and that one came once. */
function findReplayFault(attempts: readonly SessionCall[]): Finding | undefined {
  const answered = attempts.filter((call) => call.outcome === "ok");
  const fault = (message: string): Finding => {
    return { subject: attempts[0]?.session ?? "", rule: "replay", message, calls: answered };
  };
  const told = answered.map(({ reply }) => withoutReplayed(reply));
  if (told.some((reply) => !isDeepStrictEqual(reply, told[0]))) {
    return fault("replies to one id differ");
  }
  const applied = answered.filter((call) => isFirst(call));
  return applied.length > 1 ? fault("one id took effect more than once") : undefined;
}

function mergeAttempts(attempts: readonly SessionCall[]): Deed[] {
  const answered = attempts.filter((call) => call.outcome === "ok");
  const unknown = attempts.filter((call) => call.outcome === "unknown" && !isRead(call));
  const first = answered.filter((call) => isFirst(call));
  // A call sends its request again when the reply is lost, so even what says "replayed" may have replayed itself.
  const causes = first.length > 0 ? first : [...answered, ...unknown];
  const [call] = causes;
  if (call === undefined) return [];
  const earliest = Math.min(...causes.map((cause) => cause.startedAt));
  const latest = Math.min(Infinity, ...answered.map((attempt) => attempt.endedAt));
  return [{ calls: attempts, call, earliest, latest }];
}

/** Whether the reply says that this very request took effect. */
function isFirst(call: SessionCall): boolean {
  if (call.outcome !== "ok") return false;
  switch (call.kind) {
    case "observe":
    case "sequence":
    case "learn":
      return !call.reply.replayed;
    case "configure":
    case "clear":
      return call.reply.replayed !== true;
    default:
      return false;
  }
}

export function isRead({ kind }: SessionCall): boolean {
  return ["create", "stm", "get", "predict", "next"].includes(kind);
}

/** Without the marks, of the reply and of its parts, that it came again. */
function withoutReplayed(reply: unknown): unknown {
  if (typeof reply !== "object" || reply === null) return reply;
  const { replayed: _, results, ...rest } = reply as { replayed?: boolean; results?: unknown[] };
  return results === undefined ? rest : { ...rest, results: results.map(withoutReplayed) };
}
