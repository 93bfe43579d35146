import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { Replayed } from "@kato-rpc/shared/ids.ts";
import type {
  ClearNodeReply,
  CorrectReply,
  FinalizeReply,
  ForgetReply,
  NodeStats,
  NodeSymbol,
  Pattern,
  PatternPage,
  SymbolPage,
} from "@kato-rpc/shared/node.ts";
import type { Emotives } from "@kato-rpc/shared/observation.ts";
import type { StoredPattern } from "../engine/node-change.ts";
import { metadataOfPairs } from "../engine/pattern-metadata.ts";
import { parsePatternName, patternName } from "../engine/pattern-name.ts";
import { digestOf, refuseOtherContent } from "../content-digest.ts";
import type { BornPattern, ChangedNode, NodeMutation, NodeStore } from "../stores/node-store.ts";
import { metadataPairs } from "../stores/pattern-row.ts";
import { nodeTag } from "../stores/session-id.ts";
import type { Moment, SessionStore } from "../stores/session-store.ts";
import { invalidCursor } from "../stores/store-errors.ts";

/** Items of a page whose caller doesn't say. */
const PAGE_ITEMS = 100;

/** A page of patterns ends after so many characters of events, and patterns are read from the store a few at a time. */
const PAGE_CHARACTERS = 4 * 2 ** 20;
const PATTERNS_PER_READ = 128;

/**
 * The use cases of `node.*` on long-term memory. Reads see every change acknowledged before them.
 *
 * @throws ServiceError from every method: STORE_UNAVAILABLE.
 */
export class NodeService {
  readonly #nodes: NodeStore;
  readonly #sessions: SessionStore;
  readonly #moment: () => Moment;

  constructor(stores: { nodes: NodeStore; sessions: SessionStore }, moment: () => Moment) {
    this.#nodes = stores.nodes;
    this.#sessions = stores.sessions;
    this.#moment = moment;
  }

  /** @throws ServiceError NODE_NOT_FOUND for a node on which no session was ever created */
  async stats(nodeId: string): Promise<NodeStats> {
    const [isKnown, totals, sessions] = await Promise.all([
      this.#sessions.hasNode(nodeId),
      this.#nodes.readTotals(nodeTag(nodeId)),
      this.#sessions.countSessions(nodeId, this.#moment()),
    ]);
    if (!isKnown) {
      const message = "no session was ever created on this node: check its id";
      throw new ServiceError("NODE_NOT_FOUND", message, { nodeId });
    }
    return { nodeId, ...totals, sessions };
  }

  async patterns(input: {
    nodeId: string;
    cursor?: string | undefined;
    limit?: number | undefined;
  }): Promise<PatternPage> {
    const { limit = PAGE_ITEMS } = input;
    const after = input.cursor === undefined ? 0 : readBirth(input.cursor);
    const { items, more } = await this.#readPage(nodeTag(input.nodeId), { after, limit });
    const last = more ? items.at(-1) : undefined;
    return { items: items.map(toPattern), nextCursor: last === undefined ? null : `${last.born}` };
  }

  /** Up to `limit` patterns, fewer when they are long. */
  async #readPage(
    tag: string,
    { after, limit }: { after: number; limit: number },
  ): Promise<{ items: BornPattern[]; more: boolean }> {
    const items: BornPattern[] = [];
    let characters = 0;
    for (;;) {
      const wanted = Math.min(limit + 1 - items.length, PATTERNS_PER_READ);
      const from = items.at(-1)?.born ?? after;
      const found = await this.#nodes.listPatterns(tag, { after: from, limit: wanted });
      for (const pattern of found) {
        if (items.length >= limit || characters > PAGE_CHARACTERS) return { items, more: true };
        items.push(pattern);
        characters += JSON.stringify(pattern.events).length;
      }
      if (found.length < wanted) return { items, more: false };
    }
  }

  /** @throws ServiceError PATTERN_NOT_FOUND */
  async pattern({ nodeId, name }: { nodeId: string; name: string }): Promise<Pattern> {
    const found = await this.#nodes.findPattern(nodeTag(nodeId), hashOf(name));
    if (found === undefined) {
      const message = `node ${JSON.stringify(nodeId)} has no pattern ${name}`;
      throw new ServiceError("PATTERN_NOT_FOUND", message, { nodeId });
    }
    return toPattern(found);
  }

  /** Sets what is given and leaves the rest; gives the pattern as it is then. @throws ServiceError PATTERN_NOT_FOUND */
  async correct(input: {
    nodeId: string;
    name: string;
    frequency?: number | undefined;
    emotives?: Emotives[] | undefined;
    metadata?: Record<string, string[]> | undefined;
    requestId?: string | undefined;
  }): Promise<CorrectReply> {
    const { frequency, emotives, metadata } = input;
    const { pattern, ...changed } = await this.#change(input, {
      kind: "correct",
      hash: hashOf(input.name),
      ...(frequency === undefined ? {} : { frequency }),
      ...(emotives === undefined ? {} : { emotives }),
      ...(metadata === undefined ? {} : { metadata: metadataOfPairs(metadataPairs(metadata)) }),
    });
    if (pattern === undefined)
      throw new Error("the store told nothing of the pattern it corrected");
    return { ...toPattern(pattern), ...replayedOf(changed) };
  }

  /** @throws ServiceError PATTERN_NOT_FOUND */
  async forget(input: {
    nodeId: string;
    name: string;
    requestId?: string | undefined;
  }): Promise<ForgetReply> {
    const changed = await this.#change(input, { kind: "forget", hash: hashOf(input.name) });
    return { forgotten: true, ...replayedOf(changed) };
  }

  async symbols(input: {
    nodeId: string;
    symbols?: readonly string[] | undefined;
    cursor?: string | undefined;
    limit?: number | undefined;
  }): Promise<SymbolPage> {
    const tag = nodeTag(input.nodeId);
    const { symbols, limit = PAGE_ITEMS } = input;
    if (symbols !== undefined) {
      return { items: await this.#nodes.findSymbols(tag, symbols), nextCursor: null };
    }
    const after = input.cursor === undefined ? undefined : readSymbol(input.cursor);
    const found: NodeSymbol[] = await this.#nodes.listSymbols(tag, { after, limit: limit + 1 });
    const items = found.slice(0, limit);
    const last = found.length > limit ? items.at(-1) : undefined;
    return { items, nextCursor: last === undefined ? null : writeSymbol(last.symbol) };
  }

  /** Fixes the intrinsic metrics of every pattern there is (sessions.md §9); gives how many there are. */
  async finalize(input: NodeInput): Promise<FinalizeReply> {
    // Nothing is written for a node that is none.
    if (!(await this.#sessions.hasNode(input.nodeId))) return { patterns: 0 };
    const { patterns, ...changed } = await this.#change(input, { kind: "finalize" });
    return { patterns, ...replayedOf(changed) };
  }

  /** Empties the node's long-term memory; its sessions keep what is theirs. */
  async clear(input: NodeInput): Promise<ClearNodeReply> {
    if (!(await this.#sessions.hasNode(input.nodeId))) return { cleared: true };
    return { cleared: true, ...replayedOf(await this.#change(input, { kind: "clear" })) };
  }

  /** @throws ServiceError PATTERN_NOT_FOUND, INVALID_INPUT for an id given before to another change of this kind */
  async #change({ nodeId, requestId }: NodeInput, mutation: NodeMutation): Promise<ChangedNode> {
    if (requestId === undefined) return this.#nodes.change(nodeTag(nodeId), mutation);
    const digest = digestOf(mutation);
    const request = { id: `${mutation.kind}:${requestId}`, digest, nowMs: this.#moment() };
    const changed = await this.#nodes.change(nodeTag(nodeId), mutation, request);
    const digests = { remembered: changed.firstDigest, given: digest };
    refuseOtherContent(requestId, digests, { nodeId });
    return changed;
  }
}

type NodeInput = { nodeId: string; requestId?: string | undefined };

function replayedOf({ firstDigest }: Pick<ChangedNode, "firstDigest">): Replayed {
  return firstDigest === undefined ? {} : { replayed: true };
}

function toPattern(pattern: StoredPattern | BornPattern): Pattern {
  const { hash, events, frequency, emotives, metadata } = pattern;
  const length = events.reduce((sum, event) => sum + event.length, 0);
  return { name: patternName(hash), events, length, frequency, emotives, metadata };
}

function hashOf(name: string): string {
  const hash = parsePatternName(name);
  if (hash === undefined) throw new ServiceError("INVALID_INPUT", `${name} names no pattern`);
  return hash;
}

function readBirth(cursor: string): number {
  if (!/^\d{1,15}$/.test(cursor)) throw invalidCursor(undefined);
  return Number(cursor);
}

/** Symbols may hold anything, and be long: a cursor carries one as base64url. */
function writeSymbol(symbol: string): string {
  return `s${Buffer.from(symbol, "utf8").toString("base64url")}`;
}

function readSymbol(cursor: string): string {
  const symbol = Buffer.from(cursor.slice(1), "base64url").toString("utf8");
  if (writeSymbol(symbol) !== cursor) throw invalidCursor(undefined);
  return symbol;
}
