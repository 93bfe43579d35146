import { readFileSync } from "node:fs";

/** The events of one case, in order. */
export type Sequence = readonly string[];

/** Cases in the order of their first line; lines are `case,activity,timestamp` under a header, in order of time. */
export function readEventLog(path: string): Sequence[] {
  const cases = new Map<string, string[]>();
  const [, ...lines] = readFileSync(path, "utf8").trimEnd().split(/\r?\n/);
  for (const line of lines) {
    const [name, activity] = line.split(",");
    if (name === undefined || activity === undefined) throw new Error(`Not an event: ${line}`);
    const events = cases.get(name) ?? [];
    events.push(activity);
    cases.set(name, events);
  }
  return [...cases.values()];
}

export interface Split {
  training: readonly Sequence[];
  test: readonly Sequence[];
}

/** The first two thirds, 2 · round(n / 3), to learn from; the others to predict. */
export function splitInThirds(sequences: readonly Sequence[]): Split {
  const count = 2 * Math.round(sequences.length / 3);
  return { training: sequences.slice(0, count), test: sequences.slice(count) };
}

/** Each sequence is predicted once, from what the others teach: sequence i in fold i modulo `count`. */
export function foldsOf(sequences: readonly Sequence[], count: number): Split[] {
  return Array.from({ length: count }, (_, fold) => ({
    training: sequences.filter((_sequence, i) => i % count !== fold),
    test: sequences.filter((_sequence, i) => i % count === fold),
  }));
}
