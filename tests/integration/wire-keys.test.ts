import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Service } from "../support/service.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import { call, dataOf, rpcRequest, send } from "../support/wire.ts";

/** Keys that objects, superjson or its paths give a meaning of their own. */
const KEYS = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "toJSON",
  "then",
  "__defineGetter__",
  "",
  ".",
  "a.b",
  "\\",
  "a\\.b",
  "\\\\",
  "0",
  "json",
  "meta",
  "createdAt",
  "ключ 🗝",
];

/** An object with all keys, `__proto__` as an ordinary one, as JSON, which knows no prototypes. */
function withKeys(keys: readonly string[], value: (i: number) => unknown): string {
  const fields = keys.map((key, i) => `${JSON.stringify(key)}:${JSON.stringify(value(i))}`);
  // Read and written once, since objects put the key 0 first.
  return JSON.stringify(JSON.parse(`{${fields.join(",")}}`));
}

const EMOTIVES = withKeys(KEYS, (i) => i / 2);
const NESTED = withKeys(KEYS, (i) => [i, null, "x"]);
const METADATA = withKeys(KEYS, (i) => (i < 3 ? JSON.parse(`[{"deep":${NESTED}}]`) : i));

type Percept = { emotives: object; metadata: object };
type Info = { sessionId: string; metadata: object; createdAt: Date };

describe.each(STORE_KINDS)("any key that a caller chooses, on %s", (kind) => {
  let service: Service;
  let stack: AsyncDisposableStack;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    const store = stack.use(await openTestStore(kind));
    service = stack.use(await startService({ store: store.url }));
  });
  afterAll(() => stack.disposeAsync());

  /** Sends the input as text: an object literal would lose `__proto__`. */
  async function mutate<T>(path: string, input: string): Promise<T> {
    const request = rpcRequest("mutation", path, undefined);
    return dataOf<T>(await send(service.url, { ...request, body: `{"json":${input}}` }));
  }

  it("comes back from session metadata through create, get and list", async () => {
    const created = await mutate<Info>(
      "session.create",
      `{"nodeId":"keys","metadata":${METADATA}}`,
    );

    const { sessionId } = created;
    const got = await call<Info>(service.url, "session.get", { sessionId });
    const { items } = await call<{ items: Info[] }>(service.url, "session.list", {
      nodeId: "keys",
    });

    for (const info of [created, got, ...items]) {
      expect(JSON.stringify(info.metadata)).toBe(METADATA);
      expect(info.createdAt).toBeInstanceOf(Date);
    }
    expect(items).toHaveLength(1);
  });

  it("comes back from emotives and metadata of an observation", async () => {
    const { sessionId } = await call<Info>(service.url, "session.create", { nodeId: "n" });

    await mutate(
      "session.observe",
      `{"sessionId":"${sessionId}","emotives":${EMOTIVES},"metadata":${METADATA}}`,
    );

    const percept = await call<Percept>(service.url, "session.percept", { sessionId });
    expect(sorted(percept.emotives)).toEqual(sorted(JSON.parse(EMOTIVES) as object));
    expect(JSON.stringify(percept.metadata)).toBe(METADATA);
  });

  it("is averaged like any other", async () => {
    const { sessionId } = await call<Info>(service.url, "session.create", { nodeId: "n" });

    for (const value of [1, 2, 6]) {
      await mutate(
        "session.observe",
        `{"sessionId":"${sessionId}","emotives":${withKeys(KEYS, () => value)}}`,
      );
    }

    const percept = await call<Percept>(service.url, "session.percept", { sessionId });
    expect(sorted(percept.emotives)).toEqual(sorted(JSON.parse(withKeys(KEYS, () => 3)) as object));
  });

  it("does not hinder its siblings in a batch", async () => {
    const { sessionId } = await call<Info>(service.url, "session.create", { nodeId: "n" });
    const request = rpcRequest(
      "mutation",
      "session.observe,session.create,session.observe?batch=1",
      undefined,
    );

    const reply = await send(service.url, {
      ...request,
      body:
        `{"0":{"json":{"sessionId":"${sessionId}","strings":["a"]}},` +
        `"1":{"json":{"nodeId":"n","metadata":${METADATA}}},` +
        `"2":{"json":{"sessionId":"${sessionId}","emotives":${EMOTIVES}}}}`,
    });

    expect(reply.status).toBe(200);
    const [first, second, third] = reply.body as [object, object, object];
    expect(dataOf(first)).toMatchObject({ time: 1 });
    expect(JSON.stringify(dataOf<Info>(second).metadata)).toBe(METADATA);
    expect(dataOf(third)).toMatchObject({ time: 2 });
  });

  it("is an unknown field outside of these maps", async () => {
    for (const key of KEYS.filter((key) => !["json", "meta"].includes(key))) {
      const request = rpcRequest("mutation", "session.create", undefined);
      const body = `{"json":{"nodeId":"refused",${JSON.stringify(key)}:{}}}`;
      expect(await send(service.url, { ...request, body })).toMatchObject({
        status: 400,
        body: { error: { json: { data: { kato: "INVALID_INPUT" } } } },
      });
    }
    expect(await call(service.url, "session.count", { nodeId: "refused" })).toEqual({ active: 0 });
  });

  it("comes back whatever JSON stands behind it", async () => {
    // Keys with escapes have parse-json.test.ts: here the test's own JSON.parse could get them wrong.
    const key = fc
      .oneof(fc.constantFrom(...KEYS), fc.string({ unit: "grapheme", maxLength: 8 }))
      .filter((text) => !JSON.stringify(text).includes("\\"));
    const { json } = fc.letrec<{ json: unknown }>((tie) => ({
      json: fc.oneof(
        { depthSize: "small", maxDepth: 5 },
        fc.constantFrom(null, true, false, "", "text"),
        fc.integer(),
        fc.array(tie("json"), { maxLength: 4 }),
        fc.dictionary(key, tie("json"), { maxKeys: 4 }),
      ),
    }));

    await fc.assert(
      fc.asyncProperty(fc.dictionary(key, json, { maxKeys: 5 }), async (metadata) => {
        const text = JSON.stringify(metadata);
        const { sessionId } = await mutate<Info>(
          "session.create",
          `{"nodeId":"n","metadata":${text}}`,
        );
        await mutate("session.observe", `{"sessionId":"${sessionId}","metadata":${text}}`);

        const info = await call<Info>(service.url, "session.get", { sessionId });
        const percept = await call<Percept>(service.url, "session.percept", { sessionId });

        expect(JSON.stringify(info.metadata)).toBe(text);
        expect(JSON.stringify(percept.metadata)).toBe(text);
      }),
      { numRuns: 60 },
    );
  });
});

/** Entries by key: `toEqual` would compare prototypes where a key is `__proto__`. */
function sorted(object: object): [string, unknown][] {
  return Object.entries(object).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
