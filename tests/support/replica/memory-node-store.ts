import { learnPattern } from "@kato-rpc/server/engine/learning.ts";
import type { Learning } from "@kato-rpc/server/engine/learning.ts";
import type { NodeChange } from "@kato-rpc/server/engine/node-change.ts";
import { NodeMemory } from "@kato-rpc/server/engine/node-memory.ts";
import { metadataPairs } from "@kato-rpc/server/stores/pattern-row.ts";
import type {
  FinalizedAt,
  LogEntry,
  NodeHead,
  NodePage,
  NodeRows,
  NodeStore,
} from "@kato-rpc/server/stores/node-store.ts";
import { LOG_START } from "@kato-rpc/server/stores/node-store.ts";

/** One node of the store: a memory that is written to be read, and its log. */
class StoredNode {
  memory = new NodeMemory();
  entries: LogEntry[] = [];
  number = 0;
  mark = 1;
  born = new Map<string, number>();
  withAffinity = new Set<string>();
  finalized: (FinalizedAt & { rows: NodeRows["finalized"][] }) | null = null;

  commit(change: NodeChange): void {
    const json = JSON.stringify(change);
    const copy = JSON.parse(json) as NodeChange;
    const isNew = copy.kind === "learn" && this.memory.pattern(copy.hash) === undefined;
    this.memory.apply(copy);
    this.number += 1;
    this.entries.push({ position: `${this.number}-${this.mark}`, json });
    if (copy.kind === "learn" && isNew) this.born.set(copy.hash, this.number);
    if (copy.kind === "learn" && copy.affinity !== null) {
      for (const [symbol] of copy.occurrences) this.withAffinity.add(symbol);
    }
    if (copy.kind === "forget") this.born.delete(copy.hash);
    if (copy.kind === "finalize") this.#finalize();
    if (copy.kind !== "clear") return;
    this.born.clear();
    this.withAffinity.clear();
    this.finalized = null;
  }

  get head(): string {
    return this.entries.at(-1)?.position ?? (this.number === 0 ? LOG_START : `${this.number}-0`);
  }

  rows<Kind extends keyof NodeRows>(kind: Kind): NodeRows[Kind][] {
    return this.#rows[kind]();
  }

  readonly #rows: { [Kind in keyof NodeRows]: () => NodeRows[Kind][] } = {
    patterns: () =>
      Array.from(this.born, ([hash, born]): NodeRows["patterns"] => {
        const { frequency, events, emotives, metadata } = this.memory.pattern(hash)!;
        const pairs = metadataPairs(metadata);
        return [
          hash,
          born,
          frequency,
          JSON.stringify(events),
          emotives.length === 0 ? "" : JSON.stringify(emotives),
          pairs.length === 0 ? "" : JSON.stringify(pairs),
        ];
      }).toSorted((a, b) => a[1] - b[1]),
    affinities: () =>
      Array.from(this.withAffinity, (symbol): NodeRows["affinities"] => [
        symbol,
        JSON.stringify(Object.entries(this.memory.affinity(symbol))),
      ]).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    vectors: () =>
      Array.from(this.memory.vectors.entries(), ({ name, vector }): NodeRows["vectors"] => [
        name,
        JSON.stringify(vector),
      ]).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    finalized: () => this.finalized?.rows ?? [],
  };

  #finalize(): void {
    const { patterns, symbols } = this.memory.totals();
    const rows = Array.from(this.memory.symbols(), ([symbol, known]): NodeRows["finalized"] => [
      symbol,
      known.patternMemberFrequency,
    ]).toSorted(([a], [b]) => (a < b ? -1 : 1));
    this.finalized = { number: this.number, patterns, symbols, rows };
  }
}

/**
 * A store of nodes that keeps them in memory, in pages of few rows, for tests of what follows it. Reads can be held up or
 * fail, and the node changed before any of them.
 */
export class MemoryNodeStore implements NodeStore {
  /** What was read, oldest first. */
  readonly reads: string[] = [];
  readonly #nodes = new Map<string, StoredNode>();
  readonly #pageRows: number;
  /** Awaited before every read, and may throw. */
  beforeRead: (read: string, tag: string) => unknown = () => undefined;

  constructor(pageRows = 4) {
    this.#pageRows = pageRows;
  }

  commit(tag: string, change: NodeChange): void {
    this.#node(tag).commit(change);
  }

  /** Gives the pattern's hash. */
  learn(tag: string, learning: Partial<Learning> & Pick<Learning, "events">): string {
    const rest = { emotives: [], metadata: [], persistence: 5, vectors: [] };
    const { learned } = learnPattern({ ...rest, ...learning });
    if (learned === null) throw new Error("too few symbols");
    this.commit(tag, learned);
    return learned.hash;
  }

  memory(tag: string): NodeMemory {
    return this.#node(tag).memory;
  }

  trimLog(tag: string): void {
    this.#node(tag).entries.splice(0);
  }

  /** As though the store had been restored from a copy, after which other changes were made. */
  loseNode(tag: string): void {
    const { mark } = this.#node(tag);
    const node = new StoredNode();
    node.mark = mark + 1;
    this.#nodes.set(tag, node);
  }

  async readLog(tag: string, from: string, limit: number): Promise<LogEntry[] | undefined> {
    await this.#beginRead("log", tag);
    const { entries, head } = this.#node(tag);
    if (from === head) return [];
    const at = entries.findIndex(({ position }) => position === from);
    if (at < 0 && (from !== LOG_START || entries[0]?.position.startsWith("1-") !== true)) {
      return undefined;
    }
    return structuredClone(entries.slice(at + 1, at + 1 + limit));
  }

  async readHead(tag: string): Promise<NodeHead> {
    await this.#beginRead("head", tag);
    const { head, finalized } = this.#node(tag);
    if (finalized === null) return { position: head, finalized };
    const { number, patterns, symbols } = finalized;
    return { position: head, finalized: { number, patterns, symbols } };
  }

  /** Patterns go on behind the last one's birth; of the others, each page begins with the last row of the one before. There must be two rows on a page. */
  async readRows<Kind extends keyof NodeRows>(
    tag: string,
    kind: Kind,
    { cursor, limit }: { cursor: string | null; limit: number },
  ): Promise<NodePage<NodeRows[Kind]>> {
    await this.#beginRead(kind, tag);
    const node = this.#node(tag);
    const keyOf = (row: NodeRows[Kind]): string | number => (kind === "patterns" ? row[1] : row[0]);
    const after = kind === "patterns" ? Number(cursor ?? 0) : (cursor ?? "");
    const isLeft = (row: NodeRows[Kind]): boolean =>
      kind === "patterns" ? keyOf(row) > after : keyOf(row) >= after;
    const left = node.rows(kind).filter(isLeft);
    const rows = left.slice(0, Math.min(limit, this.#pageRows));
    const hasMore = rows.length < left.length;
    const { number } = node;
    return { number, rows, nextCursor: hasMore ? String(keyOf(rows.at(-1)!)) : null };
  }

  readTotals = unused;
  findPattern = unused;
  listPatterns = unused;
  findSymbols = unused;
  listSymbols = unused;
  change = unused;

  async #beginRead(read: string, tag: string): Promise<void> {
    this.reads.push(read);
    await this.beforeRead(read, tag);
  }

  #node(tag: string): StoredNode {
    const node = this.#nodes.get(tag) ?? new StoredNode();
    this.#nodes.set(tag, node);
    return node;
  }
}

function unused(): never {
  throw new Error("a replica has no use for this");
}
