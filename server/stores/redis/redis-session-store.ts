import type { Emotives, Event, JsonValue, Metadata } from "@kato-rpc/shared/observation.ts";
import type { NodeSummary } from "@kato-rpc/shared/node.ts";
import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import type { SessionConfigPatch } from "@kato-rpc/shared/session-config.ts";
import { invalidCursor, sessionExpired, sessionNotFound } from "../store-errors.ts";
import { nodeTag, parseSessionId } from "../session-id.ts";
import type {
  CommitResult,
  CurrentSession,
  ListedSession,
  LoadedSession,
  NewSession,
  Page,
  PageRequest,
  Retention,
  SessionCommit,
  SessionPart,
  SessionStore,
  StoredPercept,
} from "../session-store.ts";
import { CREATE_REQUEST_TTL_MS } from "../session-store.ts";
import type { RedisConnection } from "./connection.ts";
import { NODES_KEY, nodeKeys, sessionKeys } from "./keys.ts";
import { RedisScript } from "./scripts.ts";

const createScript = new RedisScript("create-session");
const loadScript = new RedisScript("session", "load-session");
const commitScript = new RedisScript("session", "commit-session");
const extendScript = new RedisScript("session", "extend-session");
const deleteScript = new RedisScript("session", "delete-session");
const listScript = new RedisScript("list-sessions");

/** What `describe()` in session.lua gives. */
type Description = [
  expiry: string,
  version: string,
  time: string,
  ttlSeconds: string,
  createdAt: string,
  nodeId: string,
  metadata: string,
  config: string,
  stmLength: number,
  seen: string[],
];

/** Sessions in Redis 7 or Valkey 8: single, behind Sentinel, or a Cluster. Key layout: keys.ts. */
export class RedisSessionStore implements SessionStore {
  readonly kind = "redis";
  readonly #connection: RedisConnection;
  readonly #retention: Retention;

  constructor(connection: RedisConnection, retention: Retention) {
    this.#connection = connection;
    this.#retention = retention;
  }

  async create(session: NewSession): Promise<CurrentSession & { repeated: boolean }> {
    const { sessionId, nodeId, nowMs, requestId } = session;
    const [{ tag, suffix }, keys] = [addressOf(sessionId), nodeKeys(nodeId)];
    const [head = ""] = sessionKeys(tag, suffix);
    const args = [
      suffix,
      nowMs,
      session.ttlSeconds,
      nodeId,
      jsonUnlessEmpty(session.metadata),
      jsonUnlessEmpty(session.config),
      requestId === undefined ? 0 : CREATE_REQUEST_TTL_MS,
    ];
    const [created] = await Promise.all([
      this.#connection.run((client) =>
        createScript.run(
          client,
          [head, keys.sessions, keys.node, keys.request(requestId ?? "")],
          args,
        ),
      ),
      // In another slot than the node, so not part of the creation; a repeat of the call repeats it.
      this.#connection.run((client) => client.zadd(NODES_KEY, 0, nodeId)),
    ]);
    const [status, value] = created as [string, string];
    if (status === "taken") throw new Error(`two node ids share the tag ${tag}`);
    if (status === "repeated") {
      const first = await this.load(`${tag}-${value}`, { at: { nowMs, slides: false } });
      return { ...first, repeated: true };
    }
    const { ttlSeconds, metadata, config } = session;
    const state = { sessionId, nodeId, createdAt: nowMs, ttlSeconds, metadata, config };
    return {
      state: { ...state, version: 0, time: 0, stmLength: 0 },
      expiresAt: Number(value),
      seen: new Map(),
      repeated: false,
    };
  }

  async load(
    sessionId: string,
    options: Parameters<SessionStore["load"]>[1],
  ): Promise<LoadedSession> {
    const { at, ids = [], parts = [] } = options;
    const letters = parts.map((part) => PART_LETTERS[part]).join("");
    const reply = (await this.#run(loadScript, sessionId, [
      at.nowMs,
      at.slides ? 1 : 0,
      letters,
      ...ids,
    ])) as ["current", Description, string[], string[], string];
    const [, description, events, emotives, percept] = reply;
    return {
      ...this.#describe(sessionId, description),
      stm: events.slice(-this.#retention.events).map((event) => parseJson(event) as Event),
      emotives: emotives
        .slice(-this.#retention.accumulated)
        .map((map) => parseJson(map) as Emotives),
      percept: percept === "" ? null : (parseJson(percept) as StoredPercept),
    };
  }

  async commit(commit: SessionCommit): Promise<CommitResult> {
    const { sessionId, at, delta } = commit;
    const { events, accumulated, outcomes } = this.#retention;
    const lists = [
      commit.ids,
      delta.events.slice(-events).map((event) => JSON.stringify(event)),
      delta.emotives.slice(-accumulated).map((map) => JSON.stringify(map)),
      delta.metadata.slice(-accumulated).map((map) => JSON.stringify(map)),
      commit.outcomes.slice(-outcomes).flatMap(({ id, reply }) => [id, JSON.stringify(reply)]),
      headFields(delta),
    ];
    const reply = (await this.#run(commitScript, sessionId, [
      at.nowMs,
      at.slides ? 1 : 0,
      commit.baseVersion,
      commit.time,
      delta.clearsStm ? 1 : 0,
      delta.clearsAccumulators ? 1 : 0,
      events,
      accumulated,
      outcomes,
      ...lists.map((list) => list.length),
      ...lists.flat(),
    ])) as ["committed", string] | ["stale", Description];
    return reply[0] === "committed"
      ? { status: "committed", expiresAt: Number(reply[1]) }
      : { status: "stale", ...this.#describe(sessionId, reply[1]) };
  }

  async extend(
    sessionId: string,
    { nowMs, ttlSeconds }: { nowMs: number; ttlSeconds: number | undefined },
  ): Promise<{ expiresAt: number; ttlSeconds: number }> {
    const args = [nowMs, 0, ttlSeconds ?? ""];
    const [, expiry, own] = (await this.#run(extendScript, sessionId, args)) as string[];
    return { expiresAt: Number(expiry), ttlSeconds: Number(own) };
  }

  async delete(sessionId: string, nowMs: number): Promise<boolean> {
    const { tag, suffix } = addressOf(sessionId);
    const reply = await this.#connection.run((client) =>
      deleteScript.run(client, sessionKeys(tag, suffix), [suffix, nowMs, 0]),
    );
    return (reply as string[])[0] === "deleted";
  }

  async find(sessionId: string, nowMs: number): Promise<"live" | "expired" | "missing"> {
    const [status] = await this.#look(sessionId, nowMs);
    return status === "current" ? "live" : status;
  }

  async listSessions(nodeId: string, page: PageRequest): Promise<Page<ListedSession>> {
    const { nowMs, limit } = page;
    const [expiry, suffix] = readCursor(page.cursor);
    const found = (await this.#connection.run((client) =>
      listScript.run(client, [nodeKeys(nodeId).sessions], [nowMs, limit, expiry, suffix]),
    )) as string[];
    const tag = nodeTag(nodeId);
    const suffixes = found.filter((_, i) => i % 2 === 0).slice(0, limit);
    const sessions = await Promise.all(suffixes.map((id) => this.#peek(`${tag}-${id}`, nowMs)));
    const more = found.length > limit * 2;
    const nextCursor = more ? `${found[limit * 2 - 1]}:${found[limit * 2 - 2]}` : null;
    return { items: sessions.filter((session) => session !== undefined), nextCursor };
  }

  countSessions(nodeId: string, nowMs: number): Promise<number> {
    return this.#connection.run((client) =>
      client.zcount(nodeKeys(nodeId).sessions, nowMs, "+inf"),
    );
  }

  async listNodes(request: {
    after: string | undefined;
    limit: number;
    nowMs: number;
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
    await this.#connection.run((client) => client.ping());
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
  async #peek(sessionId: string, nowMs: number): Promise<ListedSession | undefined> {
    const [status, description] = await this.#look(sessionId, nowMs);
    if (status !== "current") return undefined;
    const { state, expiresAt } = this.#describe(sessionId, description);
    return { state, expiresAt };
  }

  /** Like a load, but moves no expiry and does not mind an absent session. */
  async #look(
    sessionId: string,
    nowMs: number,
  ): Promise<["current", Description] | ["missing", undefined?] | ["expired", undefined?]> {
    const { tag, suffix } = addressOf(sessionId);
    const args = [suffix, nowMs, 0, ""];
    const reply = await this.#connection.run((client) =>
      loadScript.run(client, sessionKeys(tag, suffix), args),
    );
    return reply as ["current", Description] | ["missing"] | ["expired"];
  }

  async #run(
    script: RedisScript,
    sessionId: string,
    args: readonly (string | number)[],
  ): Promise<unknown[]> {
    const { tag, suffix } = addressOf(sessionId);
    const reply = (await this.#connection.run((client) =>
      script.run(client, sessionKeys(tag, suffix), [suffix, ...args]),
    )) as unknown[];
    if (reply[0] === "missing") throw sessionNotFound(sessionId);
    if (reply[0] === "expired") throw sessionExpired(sessionId);
    return reply;
  }
}

const PART_LETTERS: Record<SessionPart, string> = { stm: "s", emotives: "e", percept: "p" };

function addressOf(sessionId: string): { tag: string; suffix: string } {
  const address = parseSessionId(sessionId);
  if (address === undefined) throw sessionNotFound(sessionId);
  return address;
}

/** Names and values; '' removes a field. */
function headFields(delta: SessionCommit["delta"]): string[] {
  const fields: string[] = [];
  if (delta.percept !== undefined) {
    fields.push("p", delta.percept === null ? "" : JSON.stringify(delta.percept));
  }
  if (delta.config !== undefined) fields.push("g", jsonUnlessEmpty(delta.config));
  return fields;
}

function jsonUnlessEmpty(value: object): string {
  const text = JSON.stringify(value);
  return text === "{}" ? "" : text;
}

function readCursor(cursor: string | undefined): [expiry: string, suffix: string] {
  if (cursor === undefined) return ["", ""];
  const [, expiry, suffix] = /^(\d+):([A-Za-z0-9.~]+)$/.exec(cursor) ?? [];
  if (expiry === undefined || suffix === undefined) throw invalidCursor(undefined);
  return [expiry, suffix];
}

function readDescription(sessionId: string, description: Description): CurrentSession {
  const [expiry, version, time, ttlSeconds, createdAt, nodeId, metadata, config, stmLength, pairs] =
    description;
  const seen = new Map<string, JsonValue>();
  for (let i = 0; i < pairs.length; i += 2) {
    seen.set(pairs[i] as string, parseJson(pairs[i + 1] as string) as JsonValue);
  }
  return {
    state: {
      sessionId,
      nodeId,
      createdAt: Number(createdAt),
      ttlSeconds: Number(ttlSeconds),
      metadata: (metadata === "" ? {} : parseJson(metadata)) as Metadata,
      version: Number(version),
      config: (config === "" ? {} : parseJson(config)) as SessionConfigPatch,
      time: Number(time),
      stmLength,
    },
    expiresAt: Number(expiry),
    seen,
  };
}
