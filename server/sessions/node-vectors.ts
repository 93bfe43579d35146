import type { NamedVector } from "../engine/node-change.ts";
import { VectorIndex } from "../engine/vector-index.ts";
import type { Neighbour } from "../engine/vector-index.ts";

export type NearestAnswer = {
  /** Numbers in each of the node's vectors; undefined while it has none. */
  dimension: number | undefined;
  /** For each vector asked, its neighbours, nearest first. */
  neighbours: readonly (readonly Neighbour[])[];
};

/**
 * The vectors of a node as one change sees them: those that were indexed before it, of which the
 * neighbours of each observed vector are known, and those that its own learns index on the way.
 */
export class NodeVectors {
  readonly #dimension: number | undefined;
  readonly #known: ReadonlyMap<readonly number[], readonly Neighbour[]>;
  readonly #indexed = new VectorIndex();

  constructor(asked: readonly (readonly number[])[], answer: NearestAnswer) {
    this.#dimension = answer.dimension;
    this.#known = new Map(asked.map((vector, i) => [vector, answer.neighbours[i] ?? []]));
  }

  /** The same vectors, without those that an earlier attempt at the change has indexed. */
  fresh(): NodeVectors {
    return new NodeVectors([...this.#known.keys()], {
      dimension: this.#dimension,
      neighbours: [...this.#known.values()],
    });
  }

  /** Numbers that a vector must have; undefined while any number will do. */
  get dimension(): number | undefined {
    return this.#dimension ?? this.#indexed.dimension;
  }

  /** Names of those nearest to `vector`, one of those asked for: nearest first, ties by name. */
  nearest(vector: readonly number[], count: number): string[] {
    const indexed = this.#indexed.neighbours(vector, count);
    const names = new Set(indexed.map(({ name }) => name));
    const known = (this.#known.get(vector) ?? []).filter(({ name }) => !names.has(name));
    return VectorIndex.nearestOf([...indexed, ...known], count).map(({ name }) => name);
  }

  index(vectors: readonly NamedVector[]): void {
    for (const vector of vectors) this.#indexed.add(vector);
  }
}
