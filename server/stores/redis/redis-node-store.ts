import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import type {
  BornPattern,
  ChangedNode,
  FinalizedAt,
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
import { LOG_START, logNumber } from "../node-store.ts";
import { readPatternRow } from "../pattern-row.ts";
import type { ConfirmedScripts } from "./confirmed-scripts.ts";
import type { Retention } from "../session-store.ts";
import { STORE_CLOCK } from "./commit-arguments.ts";
import type { RedisConnection } from "./connection.ts";
import type { MemoryKeys } from "./keys.ts";
import { allMemoryKeys, memoryKeys, requestKeys } from "./keys.ts";
import { mutationArguments } from "./memory-arguments.ts";
import { patternNotFound } from "../store-errors.ts";
import type { PatternColumns, SymbolColumns } from "./memory-rows.ts";
import { numberAt, readPatternColumns, readSymbolColumns } from "./memory-rows.ts";
import { scanRows } from "./scan-rows.ts";
import { RedisScript } from "./scripts.ts";

const changeScript = new RedisScript("clock", "node", "remember", "change-node");
const listPatternsScript = new RedisScript("pattern-rows", "list-patterns");
const findPatternScript = new RedisScript("pattern-rows", "find-pattern");
const findSymbolsScript = new RedisScript("symbol-rows", "find-symbols");
const listSymbolsScript = new RedisScript("symbol-rows", "list-symbols");
const totalsScript = new RedisScript("read-totals");

/** Long-term memory in Redis 7 or Valkey 8: single, behind Sentinel, or a Cluster. Key layout: keys.ts. */
export class RedisNodeStore implements NodeStore {
  readonly #connection: RedisConnection;
  readonly #scripts: ConfirmedScripts;
  readonly #retention: Retention;

  constructor(connection: RedisConnection, scripts: ConfirmedScripts, retention: Retention) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#retention = retention;
  }

  async readLog(tag: string, from: LogPosition, limit: number): Promise<LogEntry[] | undefined> {
    const { log } = memoryKeys(tag);
    const found = await this.#connection.run((client) =>
      client.xrange(log, from, "+", "COUNT", limit + 1),
    );
    const entries = found.map(([position, [, json = ""]]) => ({ position, json }));
    const [first] = entries;
    if (from === LOG_START) {
      const isWhole = first === undefined || logNumber(first.position) === 1;
      return isWhole ? entries.slice(0, limit) : undefined;
    }
    return first?.position === from ? entries.slice(1) : undefined;
  }

  async readHead(tag: string): Promise<NodeHead> {
    const [position = null, finalized = null] = await this.#connection.run((client) =>
      client.hmget(memoryKeys(tag).memory, "p", "z"),
    );
    return {
      position: position ?? LOG_START,
      finalized: finalized === null ? null : (parseJson(finalized) as FinalizedAt),
    };
  }

  async readRows<Kind extends keyof NodeRows>(
    tag: string,
    kind: Kind,
    page: { cursor: string | null; limit: number },
  ): Promise<NodePage<NodeRows[Kind]>>;
  async readRows(
    tag: string,
    kind: keyof NodeRows,
    page: { cursor: string | null; limit: number },
  ): Promise<NodePage<NodeRows[keyof NodeRows]>> {
    if (kind !== "patterns") {
      return this.#connection.run((client) => scanRows(client, { tag, kind, ...page }));
    }
    const columns = await this.#readPatterns(tag, { after: page.cursor ?? "0", limit: page.limit });
    const [position, names] = columns;
    const rows = readPatternColumns(columns);
    const nextCursor = names.length > rows.length ? String(rows.at(-1)?.[1]) : null;
    return { number: numberAt(position), rows, nextCursor };
  }

  async readTotals(tag: string): Promise<NodeTotalsRow> {
    const keys = keysOf(tag, ["memory", "names", "symbols", "vectors"]);
    const totals = await this.#run(totalsScript, keys, []);
    const [patterns, symbols, vectors, frequencies, symbolOccurrences, bytes] = (
      totals as (number | string | null)[]
    ).map((total) => Number(total ?? 0)) as [number, number, number, number, number, number];
    return { patterns, symbols, frequencies, symbolOccurrences, vectors, bytes };
  }

  async findPattern(tag: string, hash: string): Promise<BornPattern | undefined> {
    const columns = await this.#run(findPatternScript, keysOf(tag, PATTERN_KEYS), [hash]);
    const [row] = readPatternColumns(columns as PatternColumns);
    return row && readPatternRow(row);
  }

  async listPatterns(tag: string, page: { after: number; limit: number }): Promise<BornPattern[]> {
    return readPatternColumns(await this.#readPatterns(tag, page)).map(readPatternRow);
  }

  async findSymbols(tag: string, symbols: readonly string[]): Promise<SymbolRow[]> {
    const columns = await this.#run(findSymbolsScript, keysOf(tag, SYMBOL_KEYS), symbols);
    return readSymbolColumns(columns as SymbolColumns);
  }

  async listSymbols(
    tag: string,
    { after, limit }: { after: string | undefined; limit: number },
  ): Promise<SymbolRow[]> {
    const from = after === undefined ? "-" : `(${after}`;
    const columns = await this.#run(listSymbolsScript, keysOf(tag, SYMBOL_KEYS), [from, limit]);
    return readSymbolColumns(columns as SymbolColumns);
  }

  async change(tag: string, mutation: NodeMutation, request?: NodeRequest): Promise<ChangedNode> {
    const { outcomes, outcomesMs } = this.#retention;
    const { id = "", digest = "", nowMs = STORE_CLOCK } = request ?? {};
    const args = [...mutationArguments(mutation), id, digest, nowMs, outcomes, outcomesMs];
    const keys = [...allMemoryKeys(tag), ...requestKeys(tag)];
    const reply = (await this.#scripts.run(changeScript, { tag, keys, args })) as
      | ["unknown"]
      | ["changed", ...Changed]
      | ["repeated", firstDigest: string, ...Changed];
    switch (reply[0]) {
      case "unknown":
        throw patternNotFound("hash" in mutation ? mutation.hash : "");
      case "changed":
        return readChanged([reply[1], reply[2]]);
      case "repeated":
        return { ...readChanged([reply[2], reply[3]]), firstDigest: reply[1] };
    }
  }

  async #readPatterns(
    tag: string,
    { after, limit }: { after: number | string; limit: number },
  ): Promise<PatternColumns> {
    const keys = keysOf(tag, PATTERN_KEYS);
    return (await this.#run(listPatternsScript, keys, [after, limit])) as PatternColumns;
  }

  #run(script: RedisScript, keys: string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.#connection.run((client) => script.run(client, { keys, args }));
  }
}

type Changed = [patterns: number, corrected?: PatternColumns | undefined];

function readChanged([patterns, columns]: Changed): ChangedNode {
  const [row] = columns === undefined ? [] : readPatternColumns(columns);
  if (row === undefined) return { patterns };
  const { born: _, ...pattern } = readPatternRow(row);
  return { patterns, pattern };
}

const PATTERN_KEYS = [
  "memory",
  "names",
  "patterns",
  "frequencies",
  "emotives",
  "metadata",
] as const satisfies (keyof MemoryKeys)[];

const SYMBOL_KEYS = [
  "symbols",
  "symbolFrequencies",
  "members",
  "affinity",
] as const satisfies (keyof MemoryKeys)[];

function keysOf(tag: string, names: readonly (keyof MemoryKeys)[]): string[] {
  const keys = memoryKeys(tag);
  return names.map((name) => keys[name]);
}
