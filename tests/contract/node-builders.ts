import type { Emotives, Event } from "@kato-rpc/shared/observation.ts";
import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import type { LearnedPattern, NamedVector, NodeChange } from "../../server/engine/node-change.ts";
import type { Learning } from "../../server/engine/learning.ts";
import { learnPattern } from "../../server/engine/learning.ts";
import type {
  BornPattern,
  LogEntry,
  NodePage,
  NodeRows,
  NodeStore,
  SymbolRow,
} from "../../server/stores/node-store.ts";
import { LOG_START } from "../../server/stores/node-store.ts";
import type { OpenStore } from "../../server/stores/open-store.ts";
import { readPatternRow } from "../../server/stores/pattern-row.ts";
import { nodeTag } from "../../server/stores/session-id.ts";
import type { Learn } from "../../server/stores/session-store.ts";
import type { NodeContents } from "./model-node.ts";
import { entriesOf, ModelNode, plainPattern, sortPairs } from "./model-node.ts";
import { commitOf, createSession } from "./session-builders.ts";

/** The tag of the node on which sessions are created unless said otherwise. */
export const TAG = nodeTag("node");

export const AB: Event[] = [["a"], ["b", "a"]];
export const BC: Event[] = [["b"], ["c"]];

/** What a learn of these events does: no emotives, metadata or vectors unless said otherwise. */
export function learnOf(events: Event[], learning: Partial<Learning> = {}): LearnedPattern {
  const nothing = { emotives: [], metadata: [], persistence: 5, vectors: [] };
  const { learned } = learnPattern({ ...nothing, ...learning, events });
  if (learned === null) throw new Error("too few symbols for a pattern");
  return learned;
}

export function indexOf(...vectors: NamedVector[]): Learn {
  return { kind: "index-vectors", vectors };
}

/** Commits learns with a session made for them; gives what the commit tells of frequencies. */
export async function learnAll(
  { sessions }: Pick<OpenStore, "sessions">,
  learns: readonly Learn[],
  { nodeId = "node" }: { nodeId?: string } = {},
): Promise<(number | null)[]> {
  const sessionId = await createSession(sessions, { nodeId });
  const result = await sessions.commit(commitOf(sessionId, { learns }));
  if (result.status !== "committed") throw new Error("the commit of a new session was stale");
  return result.frequencies;
}

/** Every row of a kind, page by page. */
export async function walkRows<Kind extends keyof NodeRows>(
  nodes: NodeStore,
  kind: Kind,
  { tag = TAG, limit = 1_000 }: { tag?: string; limit?: number } = {},
): Promise<NodeRows[Kind][]> {
  const rows: NodeRows[Kind][] = [];
  for (let cursor: string | null = null; ;) {
    const page: NodePage<NodeRows[Kind]> = await nodes.readRows(tag, kind, { cursor, limit });
    rows.push(...page.rows);
    if (page.nextCursor === null) return rows;
    cursor = page.nextCursor;
  }
}

/** The rest of the log after `from`, page by page; the page's end is undefined where the log does not go on. */
export async function followLog(
  nodes: NodeStore,
  { tag = TAG, from = LOG_START, limit = 100 } = {},
): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (let at = from; ;) {
    const page = await nodes.readLog(tag, at, limit);
    if (page === undefined) throw new Error(`the log has no place ${at}`);
    if (page.length === 0) return entries;
    entries.push(...page);
    at = page.at(-1)?.position ?? at;
  }
}

/** What a node holds after these changes of its log. */
export function replayLog(entries: readonly LogEntry[]): ModelNode {
  const node = new ModelNode();
  for (const { json } of entries) node.apply(parseJson(json) as NodeChange);
  return node;
}

/** All that a store tells of a node, which does not change meanwhile. */
export async function readNode(
  nodes: NodeStore,
  { tag = TAG, limit = 1_000 }: { tag?: string; limit?: number } = {},
): Promise<NodeContents> {
  const { position, finalized } = await nodes.readHead(tag);
  const walk = { tag, limit };
  const patterns = await walkRows(nodes, "patterns", walk);
  const affinities = await walkRows(nodes, "affinities", walk);
  const vectors = await walkRows(nodes, "vectors", walk);
  return {
    number: Number.parseInt(position, 10),
    totals: await nodes.readTotals(tag),
    patterns: patterns.map((row) => plainPattern(readPatternRow(row))),
    symbols: (await listAllSymbols(nodes, walk)).map(statisticsOf),
    affinities: distinct(affinities.map(([symbol, json]) => [symbol, readSums(json)])),
    vectors: distinct(vectors.map(([name, json]) => [name, readVector(json)])),
    finalized,
    finalizedMembers: distinct(await walkRows(nodes, "finalized", walk)),
  };
}

/** A symbol without its affinity. */
export function statisticsOf({ symbol, frequency, patternMemberFrequency }: SymbolRow) {
  return { symbol, frequency, patternMemberFrequency };
}

export async function listAllSymbols(
  nodes: NodeStore,
  { tag = TAG, limit = 1_000 }: { tag?: string; limit?: number } = {},
) {
  const symbols: SymbolRow[] = [];
  for (let after: string | undefined; ;) {
    const page = await nodes.listSymbols(tag, { after, limit });
    symbols.push(...page);
    if (page.length < limit) return symbols;
    after = page.at(-1)?.symbol;
  }
}

export async function listAllPatterns(
  nodes: NodeStore,
  { tag = TAG, limit = 1_000 }: { tag?: string; limit?: number } = {},
): Promise<BornPattern[]> {
  const patterns: BornPattern[] = [];
  for (;;) {
    const after = patterns.at(-1)?.born ?? 0;
    const page = await nodes.listPatterns(tag, { after, limit });
    patterns.push(...page);
    if (page.length < limit) return patterns;
  }
}

/** A walk may tell a row twice. */
function distinct<Value>(rows: [key: string, value: Value][]): [key: string, value: Value][] {
  return sortPairs([...new Map(rows)]);
}

function readSums(json: string): [string, number][] {
  return sortPairs(parseJson(json) as [string, number][]);
}

function readVector(json: string): number[] {
  return (parseJson(json) as number[]).map(Math.fround);
}

/** Emotives as pairs, which compare by content whatever the names are. */
export function sumsOf(affinity: Emotives): [string, number][] {
  return entriesOf(affinity);
}
