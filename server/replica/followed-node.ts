import type { Event } from "@kato-rpc/shared/observation.ts";
import type { PredictionList, PredictionSettings } from "@kato-rpc/shared/prediction.ts";

import type { NextAsked } from "./replica-messages.ts";

/**
 * A node's long-term memory as it was when `follow` was called, or newer; held in memory until disposed. The deadline
 * given to `follow` counts here too: past it, questions throw OVERLOADED.
 */
export interface FollowedNode extends Disposable {
  /** The same bits as the engine's `predict` on the same memory. */
  predict(stm: readonly Event[], settings: PredictionSettings): Promise<PredictionList>;
  /** As `predict`, as JSON: a tenth of the work for this thread, if nobody need parse it. */
  predictText(stm: readonly Event[], settings: PredictionSettings): Promise<string>;
  /** JSON of the same bits as the engine's `nextEvents` on the same memory. */
  nextText(stm: readonly Event[], question: NextAsked): Promise<string>;
  /**
   * The node's vectors nearest to each, nearest first, with squares of distances (engine.md §4), and how many numbers
   * the node's vectors have; undefined when there is none. Throws VECTOR_DIMENSION_MISMATCH.
   */
  nearest(
    vectors: readonly (readonly number[])[],
    count: number,
  ): Promise<{
    dimension: number | undefined;
    neighbours: { name: string; distance: number }[][];
  }>;
}
