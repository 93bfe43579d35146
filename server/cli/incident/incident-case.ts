import type { Event } from "@kato-rpc/shared/observation.ts";

/** So many sessions get so many observations each, all at the same moment. */
export type IncidentCase = { sessions: number; observes: number };

/** Makes one observation; gives its time, or rejects. */
export type Observe = (sessionId: string, symbol: string) => Promise<number>;

/** How one observation went; each has a symbol of its own. */
export type ObserveOutcome = { session: number; symbol: string } & (
  | { time: number }
  | { error: string }
);

/** What a session held afterwards; undefined: it could not be read. */
export type SessionAfter = { stm: readonly Event[]; time: number } | undefined;

export type IncidentVerdict = {
  ok: boolean;
  calls: number;
  /** Calls that were answered with success. */
  answered: number;
  /** Calls whose observation is in its session, once. */
  kept: number;
  /** Whether every session holds exactly what was acknowledged, in the order of the times. */
  exactStm: boolean;
  /** Whether the times that each session's calls were answered with are 1…n, once each. */
  exactTimes: boolean;
  /** How often each error came. */
  errors: Record<string, number>;
};

/** Whether anything was lost, doubled, misrouted or put out of order. */
export function judgeIncident(
  { sessions, observes }: IncidentCase,
  outcomes: readonly ObserveOutcome[],
  after: readonly SessionAfter[],
): IncidentVerdict {
  const calls = sessions * observes;
  const errors: Record<string, number> = {};
  for (const outcome of outcomes) {
    if ("error" in outcome) errors[outcome.error] = (errors[outcome.error] ?? 0) + 1;
  }
  const verdict = { answered: 0, kept: 0, exactStm: true, exactTimes: true };
  for (let session = 0; session < sessions; session++) {
    const own = outcomes.filter((outcome) => outcome.session === session);
    const answered = own.flatMap((outcome) => ("time" in outcome ? outcome : []));
    const inOrder = answered.toSorted((a, b) => a.time - b.time);
    const stm = after[session]?.stm;
    verdict.answered += answered.length;
    verdict.kept += own.filter(({ symbol }) => isKeptOnce(stm, symbol)).length;
    verdict.exactTimes &&=
      inOrder.length === observes && inOrder.every(({ time }, i) => time === i + 1);
    verdict.exactStm &&= holdsExactly(
      stm,
      inOrder.map(({ symbol }) => symbol),
    );
  }
  const isAll = verdict.answered === calls && verdict.kept === calls;
  const ok = isAll && verdict.exactStm && verdict.exactTimes;
  return { ok, calls, ...verdict, errors };
}

function isKeptOnce(stm: readonly Event[] | undefined, symbol: string): boolean {
  return stm?.filter((event) => event.includes(symbol)).length === 1;
}

function holdsExactly(stm: readonly Event[] | undefined, symbols: readonly string[]): boolean {
  if (stm?.length !== symbols.length) return false;
  return stm.every((event, i) => event.length === 1 && event[0] === symbols[i]);
}
