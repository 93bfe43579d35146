import type { Event } from "@kato-rpc/shared/observation.ts";
import type { PredictionSettings } from "@kato-rpc/shared/prediction.ts";

import type { NodeReplica } from "./node-replica.ts";
import { PositionMasks } from "./position-masks.ts";
import type { QueryArrays } from "./query-arrays.ts";
import { giveBackArrays, takeArrays } from "./query-arrays.ts";
import type { QueryScratch } from "./query-scratch.ts";
import { WorkMeter } from "./work-meter.ts";

/** What a prediction follows. `interrupt` is called every so often, and ends the prediction by throwing. */
export type QuerySettings = PredictionSettings & { interrupt?: (() => void) | undefined };

/**
 * Short-term memory as the search wants it. The state's symbols that the node knows are its terms, numbered from 1 in the
 * order of their first occurrence; 0 stands for every other symbol.
 *
 *     state          b  x  a  b           (the node does not know x)
 *     terms          1  0  2  1
 */
export class StateQuery {
  readonly stm: readonly Event[];
  readonly state: readonly string[];
  readonly settings: QuerySettings;
  /** Distinct symbols of the state, known or not. */
  readonly distinctCount: number;
  /** Per position of the state its term. */
  readonly terms: Int32Array;
  /** By term less one, its symbol id. */
  readonly symbolIds: number[] = [];
  /** By symbol id, its term. */
  readonly termOf: Int32Array;
  readonly scratch: QueryScratch;
  readonly arrays: QueryArrays;
  /** Where the terms stand in the state. */
  readonly masks: PositionMasks;
  /** To be told of all work that grows with patterns or state. */
  readonly work: WorkMeter;

  constructor(node: NodeReplica, stm: readonly Event[], settings: QuerySettings) {
    this.stm = stm;
    this.state = stm.flat();
    this.settings = settings;
    this.work = new WorkMeter(settings.interrupt);
    this.distinctCount = new Set(this.state).size;
    this.scratch = node.takeScratch();
    this.arrays = takeArrays();
    this.termOf = this.scratch.terms.values;
    this.terms = Int32Array.from(this.state, (symbol) => this.#termFor(node.symbols.find(symbol)));
    this.masks = new PositionMasks(this.terms, this.symbolIds.length);
  }

  /** To be called for every pattern, by its length, as patterns are gone through. */
  breathe(patternLength: number): void {
    this.work.visit(patternLength + this.state.length);
  }

  /** To be called once nothing of the query is used any more. */
  end(node: NodeReplica): void {
    node.giveBackScratch(this.scratch);
    giveBackArrays(this.arrays);
  }

  #termFor(id: number | undefined): number {
    if (id === undefined) return 0;
    const found = this.termOf[id] ?? 0;
    if (found > 0) return found;
    this.symbolIds.push(id);
    this.scratch.terms.set(id, this.symbolIds.length);
    return this.symbolIds.length;
  }
}
