import type { Emotives, Event, Metadata } from "@kato-rpc/shared/observation.ts";
import type { NodeSummary } from "@kato-rpc/shared/node.ts";
import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import { LRUCache } from "lru-cache";
import type { NamedVector } from "../../engine/node-change.ts";
import { vectorDimensionMismatch, invalidCursor } from "../store-errors.ts";
import { nodeTag } from "../session-id.ts";
import { readExtension } from "../remembered-extension.ts";
import type {
  CommitResult,
  Contact,
  CreatedSession,
  CurrentSession,
  Extended,
  ListedSession,
  LoadedSession,
  Moment,
  NewSession,
  Page,
  PageRequest,
  Retention,
  SessionCommit,
  SessionPart,
  SessionStore,
  StoredPercept,
} from "../session-store.ts";
import { STORE_CLOCK } from "./commit-arguments.ts";
import { CommitGroups } from "./commit-groups.ts";
import { CreationGroups } from "./creation-groups.ts";
import type { ConfirmedScripts } from "./confirmed-scripts.ts";
import type { RedisConnection } from "./connection.ts";
import {
  addressOf,
  deletionKey,
  headKey,
  NODES_KEY,
  nodeKeys,
  sessionKeys,
  sessionsKey,
} from "./keys.ts";
import type { ScriptValues } from "./scripts.ts";
import { RedisScript, requireReadiness } from "./scripts.ts";
import type { Description } from "./session-description.ts";
import { readDescription } from "./session-description.ts";
import { requireLive, tellsWhatWasDone } from "./session-replies.ts";

const addNodeScript = new RedisScript("add-node");
const loadScript = new RedisScript("clock", "session", "load-session");
const extendScript = new RedisScript("clock", "session", "remember", "extend-session");
const deleteScript = new RedisScript("clock", "session", "delete-session");
const listScript = new RedisScript("clock", "list-sessions");
const countScript = new RedisScript("clock", "count-sessions");
const countLiveScript = new RedisScript("clock", "count-live");

/** Sessions of which one script call finds out whether they live; more would keep Redis from its other clients. */
const COUNTED_AT_ONCE = 1_000;

/** After so long a node is added again, since the store may have lost it. */
const ADDED_AGAIN_MS = 10_000;

/** Sessions in Redis 7 or Valkey 8: single, behind Sentinel, or a Cluster. Key layout: keys.ts. */
export class RedisSessionStore implements SessionStore {
  readonly kind = "redis";
  readonly #connection: RedisConnection;
  readonly #scripts: ConfirmedScripts;
  readonly #retention: Retention;
  readonly #groups: CommitGroups;
  readonly #creations: CreationGroups;
  /** Nodes that were added a short while ago: a store that has lost its newest changes is told again soon. */
  readonly #added = new LRUCache<string, true>({ max: 1_000, ttl: ADDED_AGAIN_MS });

  constructor(connection: RedisConnection, scripts: ConfirmedScripts, retention: Retention) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#retention = retention;
    // Another server may not know of them.
    connection.onConnected(() => this.#added.clear());
    this.#creations = new CreationGroups(scripts);
    this.#groups = new CommitGroups(scripts, retention, (sessionId, reply) =>
      this.#readCommit(sessionId, reply),
    );
  }

  async create(session: NewSession): Promise<CreatedSession> {
    const { sessionId, nodeId, nowMs } = session;
    const rememberedMs = this.#retention.outcomesMs;
    const [created] = await Promise.all([
      this.#creations.run(session, rememberedMs),
      this.#addNode(nodeId),
    ]);
    const { tag } = addressOf(sessionId);
    const [status, value, firstDigest = ""] = created;
    if (status === "taken") throw new Error(`two node ids share the tag ${tag}`);
    if (status === "repeated") {
      const first = await this.load(`${tag}-${value}`, { at: { nowMs, slides: false } });
      return { ...first, repeated: true, ...(firstDigest === "" ? {} : { firstDigest }) };
    }
    const { ttlSeconds, metadata, config, mark } = session;
    const createdAt = Number(value) - ttlSeconds * 1_000;
    const state = { sessionId, nodeId, createdAt, ttlSeconds, metadata, config, mark };
    return {
      state: { ...state, version: 0, time: 0, stmLength: 0 },
      expiresAt: Number(value),
      seen: new Map(),
      repeated: false,
    };
  }

  /** In another slot than the node, so not part of a creation; a repeat of the call repeats it. */
  async #addNode(nodeId: string): Promise<void> {
    if (this.#added.has(nodeId)) return;
    await this.#scripts.run(addNodeScript, { tag: NODES_KEY, keys: [NODES_KEY], args: [nodeId] });
    this.#added.set(nodeId, true);
  }

  async load(
    sessionId: string,
    options: Parameters<SessionStore["load"]>[1],
  ): Promise<LoadedSession> {
    const { at, ids = [], parts = [] } = options;
    const letters = parts.map((part) => PART_LETTERS[part]).join("");
    const args = [letters, ...ids];
    const reply = (await (ids.length === 0
      ? this.#show(sessionId, at, args)
      : this.#run(loadScript, sessionId, { at, args }))) as [
      "current",
      Description,
      ...lists: [string[], string[], string[], string[]],
      string,
    ];
    const [, description, events, emotives, metadata, vectors, percept] = reply;
    const { accumulated } = this.#retention;
    return {
      ...this.#describe(sessionId, description),
      stm: parseLast<Event>(events, this.#retention.events),
      emotives: parseLast<Emotives>(emotives, accumulated),
      metadata: parseLast<Metadata>(metadata, accumulated),
      vectors: parseLast<NamedVector>(vectors, accumulated),
      percept: percept === "" ? null : (parseJson(percept) as StoredPercept),
    };
  }

  commit(commit: SessionCommit): Promise<CommitResult> {
    return this.#groups.run(commit);
  }

  /** Of what commit-sessions.lua replies, the part of one commit. */
  #readCommit(sessionId: string, replied: unknown): CommitResult {
    if (typeof replied === "number") {
      return { status: "committed", expiresAt: replied, frequencies: [] };
    }
    const reply = requireLive(sessionId, replied) as
      | ["committed", string, (number | null)[]]
      | ["mismatch", number, number]
      | ["stale", Description];
    switch (reply[0]) {
      case "committed":
        return { status: "committed", expiresAt: Number(reply[1]), frequencies: reply[2] };
      case "stale":
        return { status: "stale", ...this.#describe(sessionId, reply[1]) };
      case "mismatch":
        throw vectorDimensionMismatch(reply[1], reply[2]);
    }
  }

  async extend(
    sessionId: string,
    { nowMs, ttlSeconds, request }: Parameters<SessionStore["extend"]>[1],
  ): Promise<Extended> {
    const { outcomes, outcomesMs } = this.#retention;
    const { id = "", digest = "" } = request ?? {};
    const args = [ttlSeconds ?? "", id, digest, outcomes, outcomesMs];
    const at = { nowMs, slides: false };
    const replied = await this.#run(extendScript, sessionId, { at, args });
    const [status, value = "", own] = replied as string[];
    if (status === "repeated") return readExtension(parseJson(value));
    return { expiresAt: Number(value), ttlSeconds: Number(own) };
  }

  async delete(
    sessionId: string,
    nowMs: Moment,
    requestId?: string,
  ): Promise<boolean | "repeated"> {
    const { tag, suffix } = addressOf(sessionId);
    const keys = [...keysOf(tag, suffix), deletionKey(tag, suffix, requestId ?? "")];
    const rememberedMs = requestId === undefined ? 0 : this.#retention.outcomesMs;
    const args = [...argumentsOf({ nowMs, slides: false }, suffix), rememberedMs];
    const [status] = (await this.#scripts.run(deleteScript, { tag, keys, args })) as string[];
    return status === "repeated" ? status : status === "deleted";
  }

  async find(sessionId: string, nowMs: Moment): Promise<"live" | "expired" | "missing"> {
    const [status] = await this.#look(sessionId, nowMs);
    return status === "current" ? "live" : status;
  }

  async listSessions(nodeId: string, page: PageRequest): Promise<Page<ListedSession>> {
    const { nowMs, limit } = page;
    const [score, suffix] = readCursor(page.cursor);
    const found = (await this.#connection.run((client) =>
      listScript.run(client, {
        keys: [nodeKeys(nodeId).sessions],
        args: [nowMs ?? STORE_CLOCK, limit, score, suffix],
      }),
    )) as string[];
    const tag = nodeTag(nodeId);
    const suffixes = found.filter((_, i) => i % 2 === 0).slice(0, limit);
    const sessions = await Promise.all(suffixes.map((id) => this.#peek(`${tag}-${id}`, nowMs)));
    const more = found.length > limit * 2;
    const nextCursor = more ? `${found[limit * 2 - 1]}:${found[limit * 2 - 2]}` : null;
    return { items: sessions.filter((session) => session !== undefined), nextCursor };
  }

  async countSessions(nodeId: string, nowMs: Moment): Promise<number> {
    const tag = nodeTag(nodeId);
    const run = (script: RedisScript, values: ScriptValues) =>
      this.#connection.run((client) => script.run(client, values));
    let at: string | number = nowMs ?? STORE_CLOCK;
    let live = 0;
    for (let seen = 0; ; seen += COUNTED_AT_ONCE) {
      const args = [at, seen, COUNTED_AT_ONCE];
      const found = await run(countScript, { keys: [sessionsKey(tag)], args });
      const [moment, sure, ...suffixes] = found as [string, number, ...string[]];
      at = moment;
      if (suffixes.length > 0) {
        const heads = suffixes.map((suffix) => headKey(tag, suffix));
        live += (await run(countLiveScript, { keys: heads, args: [at] })) as number;
      }
      if (suffixes.length < COUNTED_AT_ONCE) return live + sure;
    }
  }

  async hasNode(nodeId: string): Promise<boolean> {
    const found = await this.#connection.run((client) => client.exists(nodeKeys(nodeId).node));
    return found === 1;
  }

  async listNodes(request: {
    after: string | undefined;
    limit: number;
    nowMs: Moment;
  }): Promise<{ items: NodeSummary[]; more: boolean }> {
    const from = request.after === undefined ? "-" : `(${request.after}`;
    const nodeIds = await this.#connection.run((client) =>
      client.zrangebylex(NODES_KEY, from, "+", "LIMIT", 0, request.limit + 1),
    );
    const items = await Promise.all(
      nodeIds.slice(0, request.limit).map(async (nodeId) => ({
        nodeId,
        activeSessions: await this.countSessions(nodeId, request.nowMs),
      })),
    );
    return { items, more: nodeIds.length > request.limit };
  }

  async ping(): Promise<number> {
    const start = performance.now();
    await this.#connection.run((client) =>
      // A server may be there and yet too old for the scripts, or not permit them.
      Promise.all([client.ping(), requireReadiness(client)]),
    );
    return performance.now() - start;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** The list of events may be longer than what the session keeps: it is trimmed several at a time. */
  #describe(sessionId: string, description: Description): CurrentSession {
    const { state, ...rest } = readDescription(sessionId, description);
    const stmLength = Math.min(state.stmLength, this.#retention.events);
    return { state: { ...state, stmLength }, ...rest };
  }

  /** A session without prolonging its life; undefined if it is gone meanwhile. */
  async #peek(sessionId: string, nowMs: Moment): Promise<ListedSession | undefined> {
    const [status, description] = await this.#look(sessionId, nowMs);
    if (status !== "current") return undefined;
    const { state, expiresAt } = this.#describe(sessionId, description);
    return { state, expiresAt };
  }

  /** Like a load, but moves no expiry and does not mind an absent session. */
  async #look(
    sessionId: string,
    nowMs: Moment,
  ): Promise<["current", Description] | ["missing", undefined?] | ["expired", undefined?]> {
    const reply = await this.#runLoad(sessionId, { nowMs, slides: false }, [""]);
    return reply as ["current", Description] | ["missing"] | ["expired"];
  }

  async #run(
    script: RedisScript,
    sessionId: string,
    { at, args }: { at: Contact; args: readonly (string | number)[] },
  ): Promise<unknown[]> {
    const { tag, suffix } = addressOf(sessionId);
    const reply = await this.#scripts.run(script, {
      tag,
      keys: keysOf(tag, suffix),
      args: [...argumentsOf(at, suffix), ...args],
      acknowledges: tellsWhatWasDone,
    });
    return requireLive(sessionId, reply);
  }

  /** A session as it is, also what of it is not confirmed yet. */
  async #show(sessionId: string, at: Contact, args: readonly string[]): Promise<unknown[]> {
    return requireLive(sessionId, await this.#runLoad(sessionId, at, args));
  }

  #runLoad(sessionId: string, at: Contact, args: readonly string[]): Promise<unknown> {
    const { tag, suffix } = addressOf(sessionId);
    return this.#connection.run((client) =>
      loadScript.run(client, {
        keys: keysOf(tag, suffix),
        args: [...argumentsOf(at, suffix), ...args],
      }),
    );
  }
}

/** What every script of one session takes first. */
function keysOf(tag: string, suffix: string): string[] {
  return [sessionsKey(tag), ...sessionKeys(tag, suffix)];
}

function argumentsOf({ nowMs, slides }: Contact, suffix: string): (string | number)[] {
  return [nowMs ?? STORE_CLOCK, slides ? 1 : 0, suffix];
}

const PART_LETTERS: Record<SessionPart, string> = {
  stm: "s",
  emotives: "e",
  metadata: "m",
  vectors: "v",
  percept: "p",
};

/** The newest `count`, since a list may be longer than what a session keeps. */
function parseLast<T>(texts: readonly string[], count: number): T[] {
  return texts.slice(-count).map((text) => parseJson(text) as T);
}

function readCursor(cursor: string | undefined): [score: string, suffix: string] {
  if (cursor === undefined) return ["", ""];
  const [, score, suffix] = /^(\d+):([A-Za-z0-9.~]+)$/.exec(cursor) ?? [];
  if (score === undefined || suffix === undefined) throw invalidCursor(undefined);
  return [score, suffix];
}
