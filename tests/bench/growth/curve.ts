/** How a cost grows with something: what a curve is measured into, before anybody draws it or writes it down. */

import type { LearnedNodes } from "./learned-nodes.ts";

export type Axis = { title: string; scale: "linear" | "log" };

export type Point = { series: string; x: number; y: number };

/** One diagram; `goals` are where the measured points are to stay below. */
export type Panel = { x: Axis; y: Axis; points: Point[]; goals?: Point[] };

export type Goal = { goal: string; figure: string; met: boolean };

export type CurveResult = {
  header: readonly string[];
  rows: readonly (string | number)[][];
  panels: readonly Panel[];
  goals: readonly Goal[];
};

export type CurveOptions = {
  /** Smaller sizes and fewer rounds, for a first look. */
  quick: boolean;
  /** To be called `steps` times. */
  onStep: () => void;
  learned: LearnedNodes;
};

export type Curve = {
  /** For `--only`, and the name of the plot's file. */
  name: string;
  title: string;
  /** What is measured, in sentences. */
  about: string;
  /** Steps of the work that `measure` tells of. */
  steps: (quick: boolean) => number;
  measure: (options: CurveOptions) => Promise<CurveResult>;
};

/** Whether a figure stays at or below what it may be at most. */
export function atMost(
  goal: string,
  { figure, most, digits }: { figure: number; most: number; digits: number },
): Goal {
  return { goal, figure: figure.toFixed(digits), met: figure <= most };
}

/** The same goal at every measured place. */
export function level(series: string, y: number, xs: readonly number[]): Point[] {
  return [Math.min(...xs), Math.max(...xs)].map((x) => ({ series, x, y }));
}
