import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ErrorCode } from "@kato-rpc/shared/errors.ts";
import type { LimitName } from "@kato-rpc/shared/limits.ts";
import { LIMITS } from "@kato-rpc/shared/limits.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import type { SessionSnapshot } from "../support/session-snapshot.ts";
import { openObservedSession, snapshot } from "../support/session-snapshot.ts";
import type { Procedure } from "../support/wire.ts";
import { call, expectError, tryCall } from "../support/wire.ts";

const repeat = <T>(count: number, item: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => item(i));

/** Metadata that is exactly so many bytes as JSON; a two-byte character shows that bytes are counted. */
function metadataOf(bytes: number): object {
  const empty = JSON.stringify({ text: "é" });
  return { text: `é${"x".repeat(bytes - Buffer.byteLength(empty))}` };
}

/** Metadata of so many levels, itself the first. */
function nested(levels: number): object {
  return levels === 1
    ? {}
    : levels % 2 === 0
      ? { deeper: nested(levels - 1) }
      : { list: [nested(levels - 2)] };
}

const emotives = (count: number) => Object.fromEntries(repeat(count, (i) => [`emotive-${i}`, i]));

type Bound = {
  limit: LimitName;
  where: string;
  procedure: Procedure;
  /** The input with something of this size; `sessionId` is added where it is needed. */
  input: (size: number) => object;
  /** The step from the limit to what is past it. */
  step?: 1 | 2;
};

const observe = "session.observe";
const observeSequence = "session.observeSequence";

/** Over one of these, the answer is LIMIT_EXCEEDED. */
const SIZES: Bound[] = [
  {
    limit: "symbolBytes",
    where: "a symbol",
    procedure: observe,
    input: (size) => ({ strings: ["x".repeat(size)] }),
  },
  {
    limit: "symbolBytes",
    where: "a symbol of two-byte characters",
    procedure: observe,
    input: (size) => ({ strings: ["é".repeat(size / 2)] }),
    step: 2,
  },
  {
    limit: "symbolBytes",
    where: "a symbol of a sequence",
    procedure: observeSequence,
    input: (size) => ({ observations: [{}, { strings: ["x".repeat(size)] }] }),
  },
  {
    limit: "symbolBytes",
    where: "an emotive's name",
    procedure: observe,
    input: (size) => ({ emotives: { ["x".repeat(size)]: 1 } }),
  },
  {
    limit: "symbolBytes",
    where: "the setting of an emotive's name",
    procedure: "session.configure",
    input: (size) => ({ config: { affinityEmotive: "x".repeat(size) } }),
  },
  {
    limit: "symbolsPerObservation",
    where: "strings",
    procedure: observe,
    input: (size) => ({ strings: repeat(size, (i) => `${i}`) }),
  },
  {
    limit: "symbolsPerObservation",
    where: "strings of a sequence",
    procedure: observeSequence,
    input: (size) => ({ observations: [{ strings: repeat(size, (i) => `${i}`) }] }),
  },
  {
    limit: "observationsPerSequence",
    where: "observations",
    procedure: observeSequence,
    input: (size) => ({ observations: repeat(size, () => ({})) }),
  },
  {
    limit: "vectorsPerObservation",
    where: "vectors",
    procedure: observe,
    input: (size) => ({ vectors: repeat(size, () => [1]) }),
  },
  {
    limit: "vectorNumbers",
    where: "a vector",
    procedure: observe,
    input: (size) => ({ vectors: [repeat(size, (i) => i)] }),
  },
  {
    limit: "emotivesPerObservation",
    where: "emotives",
    procedure: observe,
    input: (size) => ({ emotives: emotives(size) }),
  },
  {
    limit: "metadataBytes",
    where: "metadata of an observation",
    procedure: observe,
    input: (size) => ({ metadata: metadataOf(size) }),
  },
  {
    limit: "metadataBytes",
    where: "metadata of a session",
    procedure: "session.create",
    input: (size) => ({ nodeId: "limits", metadata: metadataOf(size) }),
  },
  {
    limit: "metadataDepth",
    where: "metadata of an observation",
    procedure: observe,
    input: (size) => ({ metadata: nested(size) }),
  },
  {
    limit: "metadataDepth",
    where: "metadata of a session",
    procedure: "session.create",
    input: (size) => ({ nodeId: "limits", metadata: nested(size) }),
  },
];

/** Over one of these, the answer is INVALID_INPUT, whose message says the limit. */
const FIELDS: Bound[] = [
  {
    limit: "nodeIdBytes",
    where: "a node",
    procedure: "session.create",
    input: (size) => ({ nodeId: "x".repeat(size) }),
  },
  {
    limit: "nodeIdBytes",
    where: "a node of two-byte characters",
    procedure: "session.create",
    input: (size) => ({ nodeId: "é".repeat(size / 2) }),
    step: 2,
  },
  {
    limit: "nodeIdBytes",
    where: "a node asked for",
    procedure: "session.count",
    input: (size) => ({ nodeId: "x".repeat(size) }),
  },
  {
    limit: "idCharacters",
    where: "an observation's id",
    procedure: observe,
    input: (size) => ({ observationId: "x".repeat(size) }),
  },
  {
    limit: "idCharacters",
    where: "an id within a sequence",
    procedure: observeSequence,
    input: (size) => ({ observations: [{ observationId: "x".repeat(size) }] }),
  },
  {
    limit: "idCharacters",
    where: "a sequence's id",
    procedure: observeSequence,
    input: (size) => ({ observations: [], requestId: "x".repeat(size) }),
  },
  {
    limit: "idCharacters",
    where: "a creation's id",
    procedure: "session.create",
    input: (size) => ({ nodeId: "limits", requestId: "x".repeat(size) }),
  },
  {
    limit: "ttlSeconds",
    where: "a session's life",
    procedure: "session.create",
    input: (size) => ({ nodeId: "limits", ttlSeconds: size }),
  },
  {
    limit: "ttlSeconds",
    where: "an extension",
    procedure: "session.extend",
    input: (size) => ({ ttlSeconds: size }),
  },
  {
    limit: "pageItems",
    where: "a page of sessions",
    procedure: "session.list",
    input: (size) => ({ limit: size }),
  },
  {
    limit: "pageItems",
    where: "a page of nodes",
    procedure: "node.list",
    input: (size) => ({ limit: size }),
  },
];

const NEEDS_SESSION = new Set<Procedure>([
  observe,
  observeSequence,
  "session.configure",
  "session.extend",
]);

describe.each(STORE_KINDS)("the limits on %s", (kind) => {
  let url: string;
  let stack: AsyncDisposableStack;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    const store = stack.use(await openTestStore(kind));
    ({ url } = stack.use(await startService({ store: store.url })));
  });
  afterAll(() => stack.disposeAsync());

  const send = ({ procedure, input }: Bound, size: number, sessionId: string) =>
    tryCall(url, procedure, {
      ...(NEEDS_SESSION.has(procedure) ? { sessionId } : {}),
      ...input(size),
    });

  describe("just met", () => {
    it.each([...SIZES, ...FIELDS])("$limit is taken: $where", async (bound) => {
      const sessionId = await openObservedSession(url);

      expect(await send(bound, LIMITS[bound.limit].max, sessionId)).toMatchObject({ status: 200 });
    });

    it("all of an observation's at once are taken, and read back", async () => {
      const sessionId = await openObservedSession(url, "all at once");
      const strings = repeat(LIMITS.symbolsPerObservation.max, (i) => `${i}`.padStart(20, "0"));
      const vectors = repeat(LIMITS.vectorsPerObservation.max, () =>
        repeat(LIMITS.vectorNumbers.max, (i) => i % 10),
      );
      const metadata = metadataOf(LIMITS.metadataBytes.max);

      const observed = await call(url, observe, {
        sessionId,
        strings,
        vectors,
        metadata,
        emotives: emotives(LIMITS.emotivesPerObservation.max),
      });

      expect(observed).toMatchObject({ time: 2, stmLength: 2 });
      expect(await call(url, "session.percept", { sessionId })).toMatchObject({
        strings,
        vectors,
        metadata,
      });
    });
  });

  describe("just passed", () => {
    let sessionId: string;
    let before: SessionSnapshot;

    beforeEach(async () => {
      sessionId = await openObservedSession(url);
      before = await snapshot(url, sessionId);
    });
    afterEach(async () => {
      expect(await snapshot(url, sessionId)).toEqual(before);
    });

    async function refused(bound: Bound, code: ErrorCode) {
      const { max } = LIMITS[bound.limit];
      const nodes = await call(url, "node.list");
      const error = expectError(await send(bound, max + (bound.step ?? 1), sessionId), code);
      expect(await call(url, "node.list")).toEqual(nodes);
      return { error, max };
    }

    it.each(SIZES)("$limit is LIMIT_EXCEEDED: $where", async (bound) => {
      const { error, max } = await refused(bound, "LIMIT_EXCEEDED");

      expect(error.data).toMatchObject({ limit: bound.limit, max });
      expect(error.message).toContain(LIMITS[bound.limit].meaning);
      expect(error.message).toContain(max.toLocaleString("en"));
    });

    it.each(FIELDS)("$limit is INVALID_INPUT and says the limit: $where", async (bound) => {
      const { error, max } = await refused(bound, "INVALID_INPUT");

      expect(error.data.issues).toHaveLength(1);
      expect(error.data.issues?.[0]?.rule).toBe("too_big");
      expect(error.message).toContain(String(max));
    });

    it.each<[Procedure, object]>([
      ["session.create", { nodeId: "limits", ttlSeconds: 0 }],
      ["session.extend", { ttlSeconds: 0 }],
      ["session.list", { limit: 0 }],
      ["node.list", { limit: 0 }],
      [observe, { expectedTime: -1 }],
      [observe, { observationId: "" }],
    ])("a least value is INVALID_INPUT: %s %j", async (procedure, input) => {
      const bound = { limit: "ttlSeconds", where: "", procedure, input: () => input } as const;

      const error = expectError(await send(bound, 0, sessionId), "INVALID_INPUT");

      expect(error.data.issues?.[0]?.rule).toBe("too_small");
    });

    it("a limit among other mistakes is INVALID_INPUT, with all of them told", async () => {
      const error = expectError(
        await tryCall(url, observe, { sessionId, strings: ["x".repeat(1_025), 5] }),
        "INVALID_INPUT",
      );

      expect(error.data.issues?.map(({ path, rule }) => [path, rule])).toEqual([
        ["strings[0]", "custom"],
        ["strings[1]", "invalid_type"],
      ]);
    });
  });
});
