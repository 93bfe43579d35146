import type { WireRequest } from "../wire.ts";
import type { Answer } from "./answer.ts";
import type { Asked } from "./asked.ts";
import type { Sides } from "./two-wires.ts";

/** A way in which the service answers otherwise than tRPC's adapter, on purpose. */
type Documented = { name: string; reason: string };

/** One that leaves the rest of the two comparable. */
export type PartDifference<Part> = Documented & {
  /** Where it occurs, the two sides without it, all else as it was; else undefined. */
  level(sides: Sides<Part>, asked: Asked): Sides<Part> | undefined;
};

/** One after which nothing of the two answers is left to compare. */
export type WholeDifference = Documented & {
  /** Whether this is what the two answers are about: judges both in full. */
  occurs(sides: Sides<Answer>, asked: Asked): boolean;
  /** Where the adapter has another way to ask the same: its answer is compared in place of the first. */
  instead?(request: WireRequest): WireRequest;
  /** Only one side may have done what was asked. */
  isUneven?: true;
};
