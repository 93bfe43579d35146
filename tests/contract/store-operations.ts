import * as fc from "fast-check";
import { expect } from "vitest";
import { nodeTag } from "../../server/stores/session-id.ts";
import type {
  CurrentSession,
  Learn,
  ListedSession,
  SessionCommit,
  SessionPart,
  SessionStore,
} from "../../server/stores/session-store.ts";
import { learnOf } from "./node-builders.ts";
import { commitOf, DAY_MS, NOW, SESSION_PARTS } from "./session-builders.ts";
import { walkSessions } from "./listing-suite.ts";

export const NODES = ["", "a", "a ", "{a}"];

/** What happens between the store and its callers. `slot` picks one of the sessions that were asked for so far. */
export type Operation =
  | { kind: "create"; node: number; ttlSeconds: number; request: number | undefined; size: number }
  | { kind: "load"; slot: number; slides: boolean; ids: number[]; parts: SessionPart[] }
  | {
      kind: "commit";
      slot: number;
      slides: boolean;
      behind: number;
      /** Computed on another version of the number. */
      isOther: boolean;
      ids: number[];
      delta: Delta;
      learns: Learn[];
    }
  | {
      kind: "extend";
      slot: number;
      ttlSeconds: number | undefined;
      request: number | undefined;
    }
  | { kind: "delete"; slot: number; request: number | undefined }
  | { kind: "find"; slot: number }
  | { kind: "list"; node: number; limit: number }
  | { kind: "nodes"; limit: number }
  | { kind: "wait"; ms: number };

type Delta = Partial<SessionCommit["delta"]>;

const slot = fc.nat(5);
const node = fc.nat(NODES.length - 1);
const ids = fc.uniqueArray(fc.nat(12), { maxLength: 4 });
const ttlSeconds = fc.constantFrom(1, 60, 3_600, 2_592_000);
const request = fc.option(fc.nat(2), { nil: undefined });
const text = fc.string({ unit: "grapheme", maxLength: 3 });

const vector = fc.record({
  name: text,
  vector: fc.array(
    fc.float({ noDefaultInfinity: true, noNaN: true }).map((x) => x + 0),
    {
      maxLength: 2,
    },
  ),
});

/** A few patterns, so that many learns are of the same. */
const learn: fc.Arbitrary<Learn> = fc.oneof(
  fc.record({ kind: fc.constant("index-vectors" as const), vectors: fc.array(vector) }),
  fc
    .record({
      events: fc.array(fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 2 }), {
        minLength: 2,
        maxLength: 2,
      }),
      emotives: fc.array(fc.record({ joy: fc.integer() }), { maxLength: 2 }),
      vectors: fc.array(vector, { maxLength: 1 }),
    })
    .map(({ events, ...learning }) => learnOf(events, learning)),
);

const delta: fc.Arbitrary<Delta> = fc.record(
  {
    clearsStm: fc.boolean(),
    clearsAccumulators: fc.boolean(),
    clearsVectors: fc.boolean(),
    vectors: fc.array(vector, { maxLength: 6 }),
    events: fc.array(fc.array(text, { minLength: 1, maxLength: 2 }), { maxLength: 8 }),
    emotives: fc.array(
      fc.record({ joy: fc.double({ noDefaultInfinity: true, noNaN: true }).map((x) => x + 0) }),
      { maxLength: 6 },
    ),
    metadata: fc.array(fc.record({ source: text }), { maxLength: 6 }),
    percept: fc.option(
      fc.record({
        strings: fc.array(text, { maxLength: 2 }),
        vectors: fc.constant([[0.5]]),
        metadata: fc.constant({}),
      }),
    ),
    config: fc.record({ maxPatternLength: fc.nat(9) }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);

export const operations: fc.Arbitrary<Operation[]> = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("create" as const),
        node,
        ttlSeconds,
        request: fc.option(fc.nat(2), { nil: undefined }),
        size: fc.nat(2),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("load" as const),
        slot,
        slides: fc.boolean(),
        ids,
        parts: fc.subarray([...SESSION_PARTS]),
      }),
    },
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant("commit" as const),
        slot,
        slides: fc.boolean(),
        behind: fc.constantFrom(0, 0, 0, 0, 1, -1),
        isOther: fc.constantFrom(false, false, false, false, true),
        ids,
        delta,
        learns: fc.array(learn, { maxLength: 3 }),
      }),
    },
    fc.record({
      kind: fc.constant("extend" as const),
      slot,
      ttlSeconds: fc.option(ttlSeconds, { nil: undefined }),
      request,
    }),
    fc.record({ kind: fc.constant("delete" as const), slot, request }),
    fc.record({ kind: fc.constant("find" as const), slot }),
    fc.record({ kind: fc.constant("list" as const), node, limit: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant("nodes" as const), limit: fc.integer({ min: 1, max: 4 }) }),
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("wait" as const),
        ms: fc.constantFrom(1, 999, 1_000, 30_000, 60_001, 3_700_000, DAY_MS, DAY_MS + 1),
      }),
    },
  ),
  { maxLength: 60, size: "max" },
);

/** What an operation is performed on. */
type Stage = {
  store: SessionStore;
  passTime?: (ms: number) => Promise<void>;
};

/** Stores list sessions by the second in which they expire; those of one in any order, and on any page. */
const LIST_STEP_MS = 1_000;

/**
 * Calls that a store is asked to make one after another, and its replies as plain values. Ids and times follow from
 * the operations alone, so that two stores given the same operations must give the same replies.
 */
export async function replay(stage: Stage, script: readonly Operation[]): Promise<unknown[]> {
  const story = { nowMs: NOW, asked: [] as string[], versions: new Map<string, number>() };
  const replies: unknown[] = [];
  for (const operation of script) {
    replies.push(await perform(stage, operation, story).then(plain, failure));
  }
  return replies;
}

type Story = { nowMs: number; asked: string[]; versions: Map<string, number> };

async function perform(stage: Stage, operation: Operation, story: Story): Promise<unknown> {
  const { store, passTime } = stage;
  const { nowMs, asked } = story;
  if (operation.kind === "wait") {
    story.nowMs += operation.ms;
    return passTime?.(operation.ms);
  }
  if (operation.kind === "create") return create(store, operation, story);
  if (operation.kind === "nodes") {
    return store.listNodes({ after: undefined, limit: operation.limit, nowMs });
  }
  if (operation.kind === "list") {
    const nodeId = NODES[operation.node]!;
    const { limit } = operation;
    const pages = await walkSessions(store, nodeId, { limit, nowMs });
    return [await store.countSessions(nodeId, nowMs), inOrder(pages)];
  }
  const sessionId = asked[operation.slot % asked.length] ?? sessionIdOf("nobody's", 0);
  switch (operation.kind) {
    case "load": {
      const { slides, ids, parts } = operation;
      return store.load(sessionId, { at: { nowMs, slides }, ids: ids.map(nameOf), parts });
    }
    case "commit":
      return commit(store, operation, { ...story, sessionId });
    case "extend":
      return store.extend(sessionId, {
        nowMs,
        ttlSeconds: operation.ttlSeconds,
        request: requestOf(operation.request),
      });
    case "delete":
      return store.delete(sessionId, nowMs, requestOf(operation.request)?.id);
    case "find":
      return store.find(sessionId, nowMs);
  }
}

/** All sessions of the pages, in one order. @throws where they come in another than that of their steps */
function inOrder(pages: ListedSession[][]): ListedSession[] {
  const sessions = pages.flat();
  const steps = sessions.map(({ expiresAt }) => Math.ceil(expiresAt / LIST_STEP_MS));
  expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  const key = ({ expiresAt, state }: ListedSession) => `${expiresAt} ${state.sessionId}`;
  return sessions.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

async function create(
  store: SessionStore,
  operation: Extract<Operation, { kind: "create" }>,
  { nowMs, asked }: Story,
): Promise<unknown> {
  const nodeId = NODES[operation.node]!;
  const sessionId = sessionIdOf(nodeId, asked.length);
  asked.push(sessionId);
  const { state, expiresAt, seen } = await store.create({
    sessionId,
    nodeId,
    nowMs,
    ttlSeconds: operation.ttlSeconds,
    metadata: operation.size === 0 ? {} : { size: operation.size },
    config: operation.size === 2 ? { maxPatternLength: 2 } : {},
    mark: markOf(0),
    requestId: operation.request === undefined ? undefined : `r${operation.request}`,
  });
  return { state, expiresAt, seen };
}

async function commit(
  store: SessionStore,
  operation: Extract<Operation, { kind: "commit" }>,
  { nowMs, versions, sessionId }: Story & { sessionId: string },
): Promise<unknown> {
  const version = versions.get(sessionId) ?? 0;
  const ids = operation.ids.map(nameOf);
  const baseVersion = version - operation.behind;
  const result = await store.commit(
    commitOf(sessionId, {
      at: { nowMs, slides: operation.slides },
      baseVersion,
      baseMark: operation.isOther ? "other" : markOf(baseVersion),
      mark: markOf(version + 1),
      time: version + 1,
      delta: operation.delta,
      ids,
      outcomes: ids.map((id, i) => ({
        id,
        reply: [id, version],
        learn: i < operation.learns.length ? i : undefined,
      })),
      learns: operation.learns,
    }),
  );
  if (result.status === "committed") versions.set(sessionId, version + 1);
  return result;
}

function requestOf(request: number | undefined) {
  return request === undefined ? undefined : { id: `x${request}`, digest: `digest${request}` };
}

/** Of every third version none, as sessions have it that come from before there were marks. */
function markOf(version: number): string {
  return version % 3 === 2 ? "" : `mark${version}`;
}

function nameOf(id: number): string {
  return `id${id}`;
}

function sessionIdOf(nodeId: string, count: number): string {
  return `${nodeTag(nodeId)}-${String(count).padStart(22, "0")}`;
}

/** Replies as values that compare by content and that nobody changes later. */
function plain(reply: unknown): unknown {
  const seen = (reply as Partial<CurrentSession> | undefined)?.seen;
  return structuredClone(
    seen === undefined ? reply : { ...(reply as object), seen: Object.fromEntries(seen) },
  );
}

function failure(error: unknown): unknown {
  const { code } = error as { code?: string };
  if (code === undefined || !/^SESSION_|^VECTOR_DIMENSION/.test(code)) throw error;
  return code;
}
