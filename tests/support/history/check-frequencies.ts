import type { Finding, NodeRule } from "./finding.ts";
import type { Chance, Learn } from "./learns.ts";
import type { Predicted, SessionCall } from "./session-call.ts";

/** What was learned on one node, and what was predicted there. */
export interface NodeHistory {
  readonly node: string;
  readonly learns: readonly Learn[];
  readonly chances: readonly Chance[];
  readonly calls: readonly SessionCall[];
}

/**
 * Whether the frequencies told on the way fit the learns: each learn of a pattern has a number of its own, in the order
 * of those that came one after the other; and no frequency is less than what was acknowledged before the call started,
 * or more than what had started when it ended.
 */
export function checkFrequencies(history: NodeHistory): Finding[] {
  const byName = Map.groupBy(history.learns, ({ name }) => name);
  const bounds = new Map([...byName].map(([name, learns]) => [name, new Bounds(learns, history)]));
  const told = [...byName].flatMap(([name, learns]) => checkTold(learns, bounds.get(name)!));
  return [...told, ...checkPredicted(history, bounds)];
}

function checkTold(learns: readonly Learn[], bounds: Bounds): Finding[] {
  const findings: Finding[] = [];
  let before: { learn: Learn; frequency: number } | undefined;
  /** Of those with a lesser frequency, the one that started last. */
  let lastStarted: Learn | undefined;
  const told = learns
    .flatMap((learn) =>
      learn.frequency === undefined ? [] : { learn, frequency: learn.frequency },
    )
    .sort((a, b) => a.frequency - b.frequency);
  for (const { learn, frequency } of told) {
    // The learn itself counts: one more than those before it.
    const least = bounds.acknowledgedBy(learn.earliest) + 1;
    const most = bounds.startedBy(learn.latest);
    if (frequency < least || frequency > most) {
      const message = `${learn.name} learned as number ${frequency} of ${least} to ${most}`;
      findings.push(findingOf("wrong-frequency", message, [learn]));
    }
    if (before?.frequency === frequency) {
      const message = `${learn.name} learned twice as number ${frequency}`;
      findings.push(findingOf("repeated-frequency", message, [before.learn, learn]));
    } else if (lastStarted !== undefined && lastStarted.earliest > learn.latest) {
      const message = `${learn.name} learned as number ${frequency} before a lesser one started`;
      findings.push(findingOf("frequency-order", message, [lastStarted, learn]));
    }
    before = { learn, frequency };
    if (lastStarted === undefined || learn.earliest > lastStarted.earliest) lastStarted = learn;
  }
  return findings;
}

function checkPredicted(
  { node, calls, chances }: NodeHistory,
  bounds: ReadonlyMap<string, Bounds>,
): Finding[] {
  const findings: Finding[] = [];
  for (const call of calls) {
    for (const { name, frequency } of patternsTold(call)) {
      const bound = bounds.get(`PTRN|${name}`) ?? new Bounds([], { chances });
      const least = bound.acknowledgedBy(call.startedAt);
      const most = bound.startedBy(call.endedAt);
      if (frequency >= least && frequency <= most) continue;
      const rule = frequency < least ? "stale-prediction" : "future-prediction";
      const message = `${name} told with frequency ${frequency}, learned ${least} to ${most} times`;
      findings.push({ subject: node, rule, message, calls: [call] });
    }
  }
  return findings;
}

/** Patterns with their frequencies as an answer told them. */
function patternsTold(call: SessionCall): readonly Predicted[] {
  if (call.outcome !== "ok") return [];
  if (call.kind === "predict") return call.reply.predictions;
  return call.kind === "next" ? call.reply.because : [];
}

/** How often one pattern must and may have been learned by a moment. O(log n) each. */
class Bounds {
  readonly #ends: readonly number[];
  readonly #starts: readonly number[];

  constructor(learns: readonly Learn[], { chances }: Pick<NodeHistory, "chances">) {
    this.#ends = learns.map(({ latest }) => latest).sort((a, b) => a - b);
    const possible = chances.flatMap(({ earliest, most }) =>
      Array.from({ length: most }, () => earliest),
    );
    this.#starts = [...learns.map(({ earliest }) => earliest), ...possible].sort((a, b) => a - b);
  }

  /** Acknowledged before this moment. */
  acknowledgedBy(moment: number): number {
    return countWhile(this.#ends, (end) => end < moment);
  }

  /** Started at this moment or before. */
  startedBy(moment: number): number {
    return countWhile(this.#starts, (start) => start <= moment);
  }
}

/** Number of items at the start of a list for which it holds. */
function countWhile(items: readonly number[], holds: (item: number) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(items[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function findingOf(rule: NodeRule, message: string, learns: readonly Learn[]): Finding {
  return {
    subject: learns[0]?.node ?? "",
    rule,
    message,
    calls: learns.flatMap(({ calls }) => calls),
  };
}
