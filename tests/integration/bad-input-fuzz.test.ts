import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ERROR_CATALOGUE } from "@kato-rpc/shared/errors.ts";
import { envelopeOf, inputOf, meta } from "../support/random-inputs.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import { openObservedSession, snapshot } from "../support/session-snapshot.ts";
import type { Procedure, WireItem, WireReply } from "../support/wire.ts";
import { call, errorOf, expectError, PROCEDURES, send, tryEnvelope } from "../support/wire.ts";

const RUNS = 60;

const URL_CHARACTERS = "/trpc.%2Fs,?&=[]{}\"'\\:;@!$~*()".split("");
const CALL_CHARACTERS = 'sesion.gt%2E,?bach=1&inpu{}":'.split("");

describe.each(STORE_KINDS)("whatever is sent to %s", (kind) => {
  let url: string;
  let stack: AsyncDisposableStack;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    const store = stack.use(await openTestStore(kind));
    ({ url } = stack.use(await startService({ store: store.url })));
  });
  afterAll(() => stack.disposeAsync());

  it.each(Object.keys(PROCEDURES) as Procedure[])(
    "as input of %s is answered, or refused with a typed error and without effect",
    async (procedure) => {
      let sessionId = await openObservedSession(url);
      let before = await snapshot(url, sessionId);
      await fc.assert(
        fc.asyncProperty(
          inputOf(procedure),
          fc.boolean(),
          meta,
          async (input, withSession, meta) => {
            const reply = await tryEnvelope(
              url,
              procedure,
              envelopeOf(withSession && isRecord(input) ? { ...input, sessionId } : input, meta),
            );

            expectTyped(reply);
            if (reply.status !== 200) {
              expect(await snapshot(url, sessionId)).toEqual(before);
            } else if (PROCEDURES[procedure] === "mutation") {
              sessionId = await openObservedSession(url);
              before = await snapshot(url, sessionId);
            }
          },
        ),
        { numRuns: RUNS },
      );
      expect(await snapshot(url, sessionId)).toEqual(before);
    },
  );

  it("as a body, by bytes or text, is refused with a typed error", async () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.string({ unit: "binary", maxLength: 200 }).map((text) => Buffer.from(text)),
      fc.json().map((text) => Buffer.from(text)),
      fc.json().map((text) => Buffer.from(`{"json":${text}}`)),
      fc.json().map((text) => Buffer.from(text.slice(0, -1))),
    );
    await fc.assert(
      fc.asyncProperty(
        body,
        fc.constantFrom("session.create", "session.observe"),
        async (body, name) => {
          const headers = { "content-type": "application/json" };
          const reply = await send(url, { method: "POST", path: `/trpc/${name}`, headers, body });
          expectTyped(reply);
          expect(reply.status).not.toBe(200);
        },
      ),
      { numRuns: RUNS * 4 },
    );
  });

  it("as a batch is answered item by item, or refused as a whole", async () => {
    const names = fc.array(
      fc.oneof(
        fc.constantFrom(...Object.keys(PROCEDURES)),
        fc.webPath(),
        fc.constantFrom("", "__proto__", "%2C", "a%2Cb"),
      ),
      { minLength: 1, maxLength: 20 },
    );
    const inputs = fc.oneof(
      fc.dictionary(
        fc.nat(25).map(String),
        fc.oneof(fc.jsonValue(), fc.record({ json: fc.jsonValue() })),
      ),
      fc.jsonValue(),
    );
    await fc.assert(
      fc.asyncProperty(names, inputs, async (names, inputs) => {
        const reply = await send(url, {
          method: "POST",
          path: `/trpc/${names.join(",").replaceAll(/[?#\s]/g, "")}?batch=1`,
          headers: { "content-type": "application/json" },
          body: JSON.stringify(inputs),
        });
        const items = (Array.isArray(reply.body) ? reply.body : [reply.body]) as WireItem[];
        for (const item of items) if (item.error !== undefined) expectKnown(item);
      }),
      { numRuns: RUNS * 4 },
    );
  });

  it("as a path is refused with a typed error", async () => {
    const path = fc.oneof(
      fc.webPath(),
      fc
        .webUrl({ withQueryParameters: true })
        .map((text) => new URL(text).pathname + new URL(text).search),
      fc.string({ unit: fc.constantFrom(...URL_CHARACTERS) }).map((text) => `/${text}`),
      fc.string({ unit: fc.constantFrom(...CALL_CHARACTERS) }).map((text) => `/trpc/${text}`),
    );
    await fc.assert(
      fc.asyncProperty(
        path,
        fc.constantFrom("GET", "POST", "PUT", "DELETE"),
        async (path, method) => {
          const reply = await send(url, { method, path });
          for (const item of (Array.isArray(reply.body)
            ? reply.body
            : [reply.body]) as WireItem[]) {
            expectKnown(item);
          }
        },
      ),
      { numRuns: RUNS * 4 },
    );
  });

  it("leaves the service in good health", async () => {
    expect(await call(url, "monitor.health")).toMatchObject({ store: { reachable: true } });
    const { counters } = await call<{ counters: { errorsByCode: Record<string, number> } }>(
      url,
      "monitor.stats",
    );
    expect(Object.keys(counters.errorsByCode).toSorted()).not.toContain("INTERNAL");
  });
});

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A success, or an error of the table that is the caller's. */
function expectTyped(reply: WireReply): void {
  if (reply.status === 200) return;
  const { kato } = errorOf(reply).data;
  expectError(reply, kato);
  expectKnown(reply.body as WireItem);
}

function expectKnown(item: WireItem): void {
  const { kato } = errorOf(item).data;
  expect(Object.keys(ERROR_CATALOGUE)).toContain(kato);
  expect(["INTERNAL", "STORE_UNAVAILABLE", "OVERLOADED"]).not.toContain(kato);
}
