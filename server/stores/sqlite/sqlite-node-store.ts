import type {
  BornPattern,
  ChangedNode,
  LogEntry,
  LogPosition,
  NodeHead,
  NodeMutation,
  NodePage,
  NodeRequest,
  NodeRows,
  NodeStore,
  NodeTotalsRow,
  SymbolRow,
} from "../node-store.ts";
import { readPatternRow } from "../pattern-row.ts";
import { findMemory } from "./change-memory.ts";
import type { Retention } from "../session-store.ts";
import type { SqliteDatabase } from "./database.ts";
import type { MemoryRow, MemoryStatements } from "./memory-statements.ts";
import { prepareMemoryStatements } from "./memory-statements.ts";
import { readSums } from "./node-learning.ts";
import { positionOf, readLog } from "./node-log.ts";
import { applyMutation } from "./node-mutation.ts";
import { readNodePage } from "./node-pages.ts";
import type { PatternRecord } from "./pattern-record.ts";
import { findStoredPattern, rowOfRecord } from "./pattern-record.ts";

const NO_TOTALS: NodeTotalsRow = {
  patterns: 0,
  symbols: 0,
  frequencies: 0,
  symbolOccurrences: 0,
  vectors: 0,
  bytes: 0,
};

const NO_STATISTICS = { frequency: 0, patternMemberFrequency: 0 };

/** Long-term memory in the file of the sessions, whose commits make the learns. Schema: migrations/. */
export class SqliteNodeStore implements NodeStore {
  readonly #database: SqliteDatabase;
  readonly #statements: MemoryStatements;
  readonly #retention: Retention;

  constructor(database: SqliteDatabase, retention: Retention) {
    this.#database = database;
    this.#retention = retention;
    this.#statements = prepareMemoryStatements(database.connection);
  }

  readLog(tag: string, from: LogPosition, limit: number): Promise<LogEntry[] | undefined> {
    const read = (memory: MemoryRow | undefined) =>
      readLog(this.#statements, memory, { from, limit });
    return this.#read(tag, read);
  }

  readHead(tag: string): Promise<NodeHead> {
    return this.#read(tag, (memory) => ({
      position: positionOf(memory ?? { number: 0, mark: 0 }),
      finalized: finalizedOf(memory),
    }));
  }

  readRows<Kind extends keyof NodeRows>(
    tag: string,
    kind: Kind,
    page: { cursor: string | null; limit: number },
  ): Promise<NodePage<NodeRows[Kind]>> {
    return this.#read(tag, (memory) =>
      memory === undefined
        ? { number: 0, rows: [], nextCursor: null }
        : readNodePage(this.#statements, memory, { kind, ...page }),
    );
  }

  readTotals(tag: string): Promise<NodeTotalsRow> {
    return this.#read(tag, (memory) => {
      const { patterns, symbols, frequencies, symbolOccurrences, vectors, bytes } =
        memory ?? NO_TOTALS;
      return { patterns, symbols, frequencies, symbolOccurrences, vectors, bytes };
    });
  }

  findPattern(tag: string, hash: string): Promise<BornPattern | undefined> {
    return this.#read(tag, (memory) => memory && findStoredPattern(this.#statements, memory, hash));
  }

  async listPatterns(tag: string, page: { after: number; limit: number }): Promise<BornPattern[]> {
    const records = await this.#read(tag, (memory) => {
      const contents = memory?.contents ?? null;
      return this.#statements.patternsAfter.all({ contents, ...page }) as PatternRecord[];
    });
    return records.map((record) => readPatternRow(rowOfRecord(record)));
  }

  findSymbols(tag: string, symbols: readonly string[]): Promise<SymbolRow[]> {
    return this.#read(tag, (memory) => {
      return symbols.map((symbol) => this.#findSymbol(memory?.contents ?? null, symbol));
    });
  }

  async listSymbols(
    tag: string,
    { after, limit }: { after: string | undefined; limit: number },
  ): Promise<SymbolRow[]> {
    // No text lies between one and the same with a NUL behind it.
    const from = after === undefined ? "" : `${after}\0`;
    const rows = await this.#read(tag, (memory) => {
      const contents = memory?.contents ?? null;
      return this.#statements.symbolsFrom.all({ contents, from, limit }) as KnownSymbol[];
    });
    return rows.map(({ sumsJson, ...known }) => ({ ...known, affinity: readSums(sumsJson) }));
  }

  change(tag: string, mutation: NodeMutation, request?: NodeRequest): Promise<ChangedNode> {
    const retention = this.#retention;
    return this.#database.write(() => {
      const nowMs = request?.nowMs ?? this.#database.now();
      return applyMutation(this.#statements, tag, { mutation, request, nowMs, retention });
    });
  }

  /** Has `work` read one state of the node, whose row is undefined before the first write. */
  #read<T>(tag: string, work: (memory: MemoryRow | undefined) => T): Promise<T> {
    return this.#database.read(() => work(findMemory(this.#statements, tag)));
  }

  #findSymbol(contents: number | null, symbol: string): SymbolRow {
    const known = this.#statements.symbol.get(contents, symbol) as
      | Pick<KnownSymbol, "frequency" | "patternMemberFrequency">
      | undefined;
    const sums = this.#statements.affinity.get(contents, symbol) as
      | Pick<KnownSymbol, "sumsJson">
      | undefined;
    const { frequency, patternMemberFrequency } = known ?? NO_STATISTICS;
    return { symbol, frequency, patternMemberFrequency, affinity: readSums(sums?.sumsJson) };
  }
}

type KnownSymbol = Omit<SymbolRow, "affinity"> & { sumsJson: string | null };

function finalizedOf(memory: MemoryRow | undefined): NodeHead["finalized"] {
  const { finalizedNumber, finalizedPatterns, finalizedSymbols } = memory ?? {};
  // The three are set together.
  if (finalizedNumber == null || finalizedPatterns == null || finalizedSymbols == null) return null;
  return { number: finalizedNumber, patterns: finalizedPatterns, symbols: finalizedSymbols };
}
