import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import type { Emotives } from "@kato-rpc/shared/observation.ts";
import { NodeReplica } from "../engine/index/node-replica.ts";
import type {
  CorrectedPattern,
  LearnedPattern,
  NamedVector,
  NodeChange,
} from "../engine/node-change.ts";
import type { FinalizedAt, NodeRows } from "../stores/node-store.ts";
import { readPatternRow } from "../stores/pattern-row.ts";
import type { LoadedPage } from "./replica-messages.ts";

/** Slots from the end of the range before up to `end` stand at a number of the log. */
type SlotRange = { end: number; number: number };

/**
 * A replica while it is loaded. Its pages were read one after another while the node changed, so that each stands at
 * another number of the log; then the log is replayed from before the first page. What a page holds already is not
 * done again: an entry counts for a pattern, or for a symbol's affinity, only when its number is greater than that of
 * the page it came from.
 *
 *     log      10 ── 11 ── 12 ── 13 ── 14          replayed from 10 on
 *     pages      A at 11      B at 13              12 counts for what A has, 14 for both
 */
export class LoadingReplica {
  readonly replica = new NodeReplica();
  readonly #finalized: FinalizedAt | null;
  readonly #patterns = this.replica.patterns;
  readonly #ranges: SlotRange[] = [];
  readonly #affinityNumbers = new Map<string, number>();
  readonly #members: NodeRows["finalized"][] = [];
  /**
   * By name, the newest; put in their place at the end: before the log was replayed, nobody knows whether all of them
   * are of one time, or some from before a `clear`, and of another dimension.
   */
  readonly #vectors = new Map<string, number[]>();
  #finalizedSlots = 0;

  constructor(finalized: FinalizedAt | null) {
    this.#finalized = finalized;
  }

  /** Patterns must come in the order of their birth. */
  addPage(page: LoadedPage): void {
    switch (page.rowsOf) {
      case "patterns":
        return this.#addPatterns(page.rows, page.number);
      case "affinities":
        return this.#addAffinities(page.rows, page.number);
      case "vectors":
        return this.#addVectors(page.rows);
      case "finalized":
        this.#members.push(...page.rows);
    }
  }

  /** Entries must come in order, after all pages. false: what was loaded is outdated, and of no more use. */
  replay(number: number, change: NodeChange): boolean {
    switch (change.kind) {
      case "learn":
        this.#replayLearn(number, change);
        break;
      case "index-vectors":
        this.#setVectors(change.vectors);
        break;
      case "correct":
      case "forget":
        if (this.#misses(number, change.hash)) this.replica.apply(change);
        break;
      case "finalize":
      case "clear":
        return false;
    }
    // When it packs itself, slots change their numbers.
    return this.replica.patterns === this.#patterns;
  }

  /** The replica, once everything up to the last page's number was replayed. */
  finish(): NodeReplica {
    const vectors = Array.from(this.#vectors, ([name, vector]) => ({ name, vector }));
    this.replica.indexVectors(vectors);
    if (this.#finalized !== null) {
      const { patterns, symbols } = this.#finalized;
      const [slots, members] = [this.#finalizedSlots, this.#members];
      this.replica.loadFinalized({ slots, patterns, symbols, members });
    }
    return this.replica;
  }

  /** A pattern that comes again was forgotten and learned on the way, which its first row and the log have too. */
  #addPatterns(rows: NodeRows["patterns"][], number: number): void {
    for (const row of rows) {
      const pattern = readPatternRow(row);
      if (this.#patterns.find(pattern.hash) >= 0) continue;
      this.replica.load(pattern);
      if (pattern.born <= (this.#finalized?.number ?? -1)) {
        this.#finalizedSlots = this.#patterns.size;
      }
    }
    const last = this.#ranges.at(-1);
    if (last?.number === number) last.end = this.#patterns.size;
    else this.#ranges.push({ end: this.#patterns.size, number });
  }

  #addAffinities(rows: NodeRows["affinities"][], number: number): void {
    for (const [symbol, sums] of rows) {
      this.#affinityNumbers.set(symbol, number);
      const pairs = JSON.parse(sums) as [string, number][];
      this.replica.loadAffinity(symbol, Object.fromEntries(pairs) satisfies Emotives);
    }
  }

  #addVectors(rows: NodeRows["vectors"][]): void {
    for (const [name, vector] of rows) {
      this.#vectors.set(name, JSON.parse(vector) as number[]);
    }
  }

  /** Vectors are set, not added to: replaying all of them in order ends with the newest. */
  #setVectors(vectors: readonly NamedVector[]): void {
    for (const { name, vector } of vectors) this.#vectors.set(name, vector);
  }

  #replayLearn(number: number, learned: LearnedPattern): void {
    this.#setVectors(learned.vectors);
    if (this.#patterns.find(learned.hash) < 0 || this.#misses(number, learned.hash)) {
      this.replica.learnPattern(learned);
    }
    if (learned.affinity === null) return;
    for (const [symbol] of learned.occurrences) {
      if (number <= (this.#affinityNumbers.get(symbol) ?? 0)) continue;
      this.replica.addAffinity(symbol, learned.affinity);
    }
  }

  /** Whether the pattern is there, and without the change; when it is not there, it was forgotten before its page. */
  #misses(number: number, hash: CorrectedPattern["hash"]): boolean {
    const slot = this.#patterns.find(hash);
    return slot >= 0 && number > this.#numberOf(slot);
  }

  /** Slots behind all ranges came by the log. */
  #numberOf(slot: number): number {
    return this.#ranges.find(({ end }) => slot < end)?.number ?? 0;
  }
}

export function parseChange(json: string): NodeChange {
  return parseJson(json) as NodeChange;
}
