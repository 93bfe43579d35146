import type { Emotives } from "@kato-rpc/shared/observation.ts";
import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import type { NodeChange, StoredPattern } from "../../server/engine/node-change.ts";
import { NodeMemory } from "../../server/engine/node-memory.ts";
import type { FinalizedAt, NodeTotalsRow } from "../../server/stores/node-store.ts";
import type { Learn } from "../../server/stores/session-store.ts";

type Pairs<Value> = [key: string, value: Value][];

/**
 * All that a node holds, in an order that is the same for every store, and as arrays: an own key `__proto__` is what
 * comparisons of objects tend to overlook.
 */
export type NodeContents = {
  /** Changes of the node so far. */
  number: number;
  totals: NodeTotalsRow;
  /** In the order of their birth. */
  patterns: {
    hash: string;
    born: number;
    frequency: number;
    events: string[][];
    emotives: Pairs<number>[];
    metadata: Pairs<string[]>;
  }[];
  /** Those of patterns. */
  symbols: { symbol: string; frequency: number; patternMemberFrequency: number }[];
  affinities: Pairs<Pairs<number>>;
  /** Numbers of 32 bits. */
  vectors: Pairs<number[]>;
  finalized: FinalizedAt | null;
  finalizedMembers: Pairs<number>;
};

/** What a store must hold of one node: the plain model of its memory, numbered as the node's log is. */
export class ModelNode {
  readonly #memory = new NodeMemory();
  readonly #born = new Map<string, number>();
  readonly #symbolsEver = new Set<string>();
  readonly #changes: NodeChange[] = [];
  #number = 0;
  #finalized: FinalizedAt | null = null;
  #finalizedMembers: Pairs<number> = [];

  /** Throws what the memory throws, and has changed nothing then. Gives the learned pattern's frequency, or null. */
  apply(change: NodeChange): number | null {
    const logged = asLogged(change);
    this.#memory.apply(logged);
    this.#changes.push(change);
    this.#number += 1;
    switch (logged.kind) {
      case "learn":
        for (const [symbol] of logged.occurrences) this.#symbolsEver.add(symbol);
        if (!this.#born.has(logged.hash)) this.#born.set(logged.hash, this.#number);
        return this.#memory.pattern(logged.hash)?.frequency ?? null;
      case "forget":
        this.#born.delete(logged.hash);
        break;
      case "finalize":
        this.#finalize();
        break;
      case "clear":
        this.#clear();
        break;
      case "correct":
      case "index-vectors":
    }
    return null;
  }

  /** All or none. Gives each one's frequency, or null. */
  applyAll(learns: readonly Learn[]): (number | null)[] {
    this.#memory.vectors.requireOneDimension(learns.flatMap(({ vectors }) => vectors));
    return learns.map((learn) => this.apply(learn));
  }

  /** Another one that holds the same, and goes its own way from here. */
  copy(): ModelNode {
    const copy = new ModelNode();
    for (const change of this.#changes) copy.apply(change);
    return copy;
  }

  get memory(): NodeMemory {
    return this.#memory;
  }

  /** Hashes in the order of birth. */
  hashes(): string[] {
    return Array.from(this.#memory.patterns(), ({ hash }) => hash);
  }

  contents(): NodeContents {
    const memory = this.#memory;
    const patterns = [...memory.patterns()];
    const symbols = [...memory.symbols()].toSorted(([a], [b]) => byBytes(a, b));
    const affinities = [...this.#symbolsEver]
      .map((symbol): [string, Pairs<number>] => [symbol, entriesOf(memory.affinity(symbol))])
      .filter(([, sums]) => sums.length > 0);
    return {
      number: this.#number,
      totals: this.#totals(patterns),
      patterns: patterns.map((pattern) =>
        plainPattern({ ...pattern, born: this.#born.get(pattern.hash) ?? 0 }),
      ),
      symbols: symbols.map(([symbol, statistics]) => ({ symbol, ...statistics })),
      affinities: sortPairs(affinities),
      vectors: sortPairs(Array.from(memory.vectors.entries(), (v) => [v.name, v.vector])),
      finalized: this.#finalized,
      finalizedMembers: this.#finalizedMembers,
    };
  }

  #totals(patterns: readonly StoredPattern[]): NodeTotalsRow {
    const { symbols, symbolOccurrences } = this.#memory.totals();
    const sum = (figure: (pattern: StoredPattern) => number) =>
      patterns.reduce((total, pattern) => total + figure(pattern), 0);
    return {
      patterns: patterns.length,
      symbols,
      frequencies: sum(({ frequency }) => frequency),
      symbolOccurrences,
      vectors: this.#memory.vectors.size,
      bytes: sum(({ events }) => Buffer.byteLength(JSON.stringify(events))),
    };
  }

  #finalize(): void {
    const { patterns, symbols } = this.#memory.totals();
    this.#finalized = { number: this.#number, patterns, symbols };
    const members = Array.from(this.#memory.symbols(), ([symbol, { patternMemberFrequency }]) => {
      const member: [string, number] = [symbol, patternMemberFrequency];
      return member;
    });
    this.#finalizedMembers = sortPairs(members);
  }

  #clear(): void {
    this.#born.clear();
    this.#symbolsEver.clear();
    this.#finalized = null;
    this.#finalizedMembers = [];
  }
}

/** A change as it comes out of a log: text in between, which knows no -0. */
function asLogged<Change extends NodeChange>(change: Change): Change {
  return parseJson(JSON.stringify(change)) as Change;
}

export function plainPattern(
  pattern: StoredPattern & { born: number },
): NodeContents["patterns"][number] {
  const { hash, born, frequency, events, emotives, metadata } = pattern;
  return {
    hash,
    born,
    frequency,
    events,
    emotives: emotives.map(entriesOf<number>),
    metadata: entriesOf(metadata),
  };
}

export function entriesOf<Value>(map: Readonly<Record<string, Value>> | Emotives): Pairs<Value> {
  return sortPairs(Object.entries(map) as Pairs<Value>);
}

/** In code point order of the keys. */
export function sortPairs<Value>(pairs: Pairs<Value>): Pairs<Value> {
  return pairs.toSorted(([a], [b]) => byBytes(a, b));
}

/** The order of UTF-8 bytes is the order of code points. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
