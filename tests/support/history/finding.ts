import type { SessionCall } from "./session-call.ts";

export type SessionRule =
  | "misrouted"
  | "replay"
  | "repeated-time"
  | "gap"
  | "stale-read"
  | "future-read"
  | "wrong-content"
  | "wrong-length"
  | "wrong-pattern"
  | "wrong-config"
  | "broken-sequence"
  | "resurrected"
  | "lost-session"
  | "undecided";

export type NodeRule =
  | "lost-learn"
  | "doubled-learn"
  | "stranger-pattern"
  | "wrong-pattern"
  | "wrong-statistics"
  | "wrong-symbols"
  | "repeated-frequency"
  | "frequency-order"
  | "wrong-frequency"
  | "stale-prediction"
  | "future-prediction"
  | "broken-distribution"
  | "wrong-distribution";

/** One way in which a history contradicts what is promised; no finding, no contradiction. */
export interface Finding {
  /** A session or a node. */
  readonly subject: string;
  readonly rule: SessionRule | NodeRule;
  readonly message: string;
  readonly calls: readonly SessionCall[];
}

/** A finding as lines to read: what is wrong with what, and the calls that show it. */
export function describeFinding({ subject, rule, message, calls }: Finding): string {
  const shown = calls.map((call) => {
    const { startedAt, endedAt, outcome, ...rest } = call;
    return `  ${startedAt.toFixed(3)}–${endedAt.toFixed(3)} ${outcome} ${JSON.stringify(rest).slice(0, 500)}`;
  });
  return [`${rule} in ${subject}: ${message}`, ...shown].join("\n");
}
