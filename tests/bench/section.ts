/** A question that `npm run bench` answers. */
export type Section = {
  /** For `--only`, and for the section of RESULTS.md that its run writes. */
  name: string;
  title: string;
  /** What is measured, in sentences. */
  about: string;
  /** Steps of the work that `measure` tells of. */
  steps(scale: Scale): number;
  measure(scale: Scale, onStep: () => void): Promise<Measured>;
};

export type Scale = { rounds: number; seconds: number; isQuick: boolean };

export type Measured = {
  /** Tables that align, for people. */
  text: string;
  goals: readonly BenchGoal[];
  /** The same for programs. */
  figures: unknown;
};

/** What was promised, and whether this run kept it. */
export type BenchGoal = { goal: string; figure: string; met: boolean };

export function atMost(goal: string, figure: number, most: number): BenchGoal {
  return { goal, figure: figure.toFixed(2), met: figure <= most };
}

export function atLeast(goal: string, figure: number, least: number): BenchGoal {
  return { goal, figure: figure.toFixed(2), met: figure >= least };
}
