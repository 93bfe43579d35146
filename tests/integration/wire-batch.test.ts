import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LIMITS } from "@kato-rpc/shared/limits.ts";
import type { Service } from "../support/service.ts";
import { openTestStore, startService } from "../support/service.ts";
import { startTestApp } from "../support/test-app.ts";
import type { WireReply } from "../support/wire.ts";
import {
  batch,
  call,
  dataOf,
  errorOf,
  expectError,
  RawConnection,
  replyOf,
  requestText,
  rpcRequest,
  send,
  tryCall,
} from "../support/wire.ts";

let service: Service;
let stack: AsyncDisposableStack;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  const store = stack.use(await openTestStore("sqlite"));
  service = stack.use(await startService({ store: store.url }));
});
afterAll(() => stack.disposeAsync());

const many = Array.from({ length: 10_001 }, (_, i) => i);

describe("a batch in one path", () => {
  it.each([1, 50, 100])("gets each of %i mutations its own answer", async (size) => {
    const created = await batch(
      service.url,
      "mutation",
      many.slice(0, size).map((i) => ({ path: "session.create", input: { nodeId: `n${i}` } })),
    );
    const sessions = created.items.map((item) => dataOf<{ sessionId: string }>(item));

    const observed = await batch(
      service.url,
      "mutation",
      sessions.map(({ sessionId }, i) => ({
        path: "session.observe",
        input: { sessionId, strings: [`symbol-${i}`], observationId: `id-${i}` },
      })),
    );

    expect(created.status).toBe(200);
    expect(observed.status).toBe(200);
    expect(observed.items.map((item) => dataOf(item))).toMatchObject(
      sessions.map(({ sessionId }, i) => ({
        sessionId,
        nodeId: `n${i}`,
        observationId: `id-${i}`,
        time: 1,
      })),
    );
    expect(observed.items.map(({ result }) => result?.sessionId)).toEqual(
      sessions.map(({ sessionId }) => sessionId),
    );
  });

  it.each([1, 50, 100])("gets each of %i queries its own answer", async (size) => {
    const node = `queries-${size}-`;
    const asked = many.slice(0, size);
    await batch(
      service.url,
      "mutation",
      asked
        .filter((i) => i % 2 === 0)
        .map((i) => ({ path: "session.create", input: { nodeId: node + i } })),
    );

    const { status, items } = await batch(
      service.url,
      "query",
      asked.map((i) => ({ path: "session.count", input: { nodeId: node + i } })),
    );

    expect(status).toBe(200);
    expect(items.map((item) => dataOf(item))).toEqual(
      asked.map((i) => ({ active: i % 2 === 0 ? 1 : 0 })),
    );
  });

  it("gives every call a request id of its own, made of the request's", async () => {
    const request = rpcRequest("query", "session.count,session.count?batch=1", {});

    const { body } = await send(service.url, { ...request, headers: { "x-request-id": "mine" } });

    expect(body).toEqual([
      { result: { data: { json: { active: expect.any(Number) } }, requestId: "mine.0" } },
      { result: { data: { json: { active: expect.any(Number) } }, requestId: "mine.1" } },
    ]);
  });

  it("is a batch with a single call too", async () => {
    const { body } = await send(service.url, rpcRequest("query", "session.count?batch=1", {}));

    expect(body).toEqual([
      { result: { data: { json: { active: expect.any(Number) } }, requestId: expect.any(String) } },
    ]);
  });

  it("answers 207 when its calls end differently", async () => {
    const { status, items } = await batch(service.url, "query", [
      { path: "session.count" },
      { path: "session.get", input: { sessionId: "nobody" } },
    ]);

    expect(status).toBe(207);
    expect(dataOf(items[0]!)).toEqual({ active: expect.any(Number) });
    expect(errorOf(items[1]!).data.kato).toBe("SESSION_NOT_FOUND");
  });
});

describe("a batch of more calls than allowed", () => {
  it.each(["query", "mutation"] as const)("of 101 is refused as a whole: %s", async (kind) => {
    const path = kind === "query" ? "session.count" : "session.create";
    const input = kind === "query" ? {} : { nodeId: "refused" };

    const reply = await batch(
      service.url,
      kind,
      many.slice(0, 101).map(() => ({ path, input })),
    );

    const error = expectError(reply, "LIMIT_EXCEEDED");
    expect(error.data).toMatchObject({ limit: "callsPerBatch", max: 100 });
    expect(error.message).toContain("100 calls in one batch");
    expect(await call(service.url, "session.count", { nodeId: "refused" })).toEqual({ active: 0 });
  });

  const names = many.map(() => "session.count").join(",");
  const inputs = JSON.stringify(Object.fromEntries(many.map((i) => [i, { json: {} }])));

  it("of 10,001 by GET is refused through fetch", async () => {
    const response = await fetch(`${service.url}/trpc/${names}?batch=1`);

    expectTooLong(await replyOf(response));
  });

  it("of 10,001 by POST is refused through fetch", async () => {
    const response = await fetch(`${service.url}/trpc/${names}?batch=1`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: inputs,
    });

    expectTooLong(await replyOf(response));
  });

  it("of 10,001 by GET and POST is refused through node:http", async () => {
    const path = `/trpc/${names}?batch=1`;

    expectTooLong(await send(service.url, { path }));
    expectTooLong(await send(service.url, { method: "POST", path, body: inputs }));
  });

  it("of 10,001 is refused on a connection that writes it in one piece", async () => {
    await using connection = new RawConnection(service.url);
    const path = `/trpc/${names}?batch=1`;

    connection.write(requestText({ method: "POST", path, body: inputs }));

    expectTooLong(await connection.reply());
  });

  it("of 10,001 is refused to a client that reads only when it has sent everything, slowly", async () => {
    await using connection = new RawConnection(service.url);
    const path = `/trpc/${names}?batch=1`;
    const text = requestText({ method: "POST", path, body: inputs });
    connection.socket.pause();

    for (let sent = 0; sent < text.length; sent += 20_000) {
      connection.write(text.slice(sent, sent + 20_000));
      await delay(2);
    }
    connection.socket.resume();

    expectTooLong(await connection.reply());
  });

  it("is told so before its body has come, also while every single call would be refused", async () => {
    const stuck = Promise.withResolvers<number>();
    const running = Promise.withResolvers<void>();
    await using app = await startTestApp({
      settings: { KATO_LIMIT_CONCURRENCY: "1", KATO_QUEUE_LIMIT: "0" },
      overrides: () => ({
        countSessions() {
          running.resolve();
          return stuck.promise;
        },
      }),
    });
    const filling = tryCall(app.url, "session.count", { nodeId: "n" });
    await running.promise;
    await using connection = new RawConnection(app.url);
    const path = `/trpc/${Array.from({ length: 1_450 }, () => "node.clear").join(",")}?batch=1`;
    const [head] = requestText({
      method: "POST",
      path,
      headers: { "content-length": "1000" },
    }).split("\r\n\r\n");

    connection.write(`${head}\r\n\r\n`);
    const error = expectError(await connection.reply(), "LIMIT_EXCEEDED");
    const single = await tryCall(app.url, "node.clear", { nodeId: "n" });
    stuck.resolve(0);

    expectError(single, "OVERLOADED");
    expect(error.data).toMatchObject({ limit: "callsPerBatch", max: 100 });
    expect((await filling).status).toBe(200);
  });

  it("leaves the service serving", async () => {
    expect(await call(service.url, "session.count")).toEqual({ active: expect.any(Number) });
  });
});

/** Node reads no further than its limit of headers, so that is the limit told. */
function expectTooLong(reply: WireReply): void {
  const error = expectError(reply, "LIMIT_EXCEEDED");
  expect(error.data).toMatchObject({ limit: "headerBytes", max: LIMITS.headerBytes.max });
}

describe("one bad call of a batch", () => {
  it("fails by itself", async () => {
    const { sessionId } = await call<{ sessionId: string }>(service.url, "session.create", {
      nodeId: "n",
    });
    const observe = (name: string) => ({ json: { sessionId, strings: [name] } });
    const names = [
      "observe",
      "observe",
      "observe",
      "unknown",
      "observe",
      "observe",
      "observe",
      "stm",
    ];

    const reply = await send(
      service.url,
      rpcRequest("mutation", `${names.map((name) => `session.${name}`).join(",")}?batch=1`, {
        0: observe("a"),
        1: { ...observe("b"), meta: { values: { "no.such": ["Date"] }, v: 1 } },
        2: { json: { sessionId, strings: [5] } },
        3: observe("c"),
        // 4 has no input
        5: "not an envelope",
        6: observe("d"),
        7: { json: { sessionId } },
      }),
    );

    expect(reply.status).toBe(207);
    const outcomes = (reply.body as Parameters<typeof errorOf>[0][]).map((item) =>
      "error" in item ? errorOf(item).data.kato : dataOf<{ time: number }>(item).time,
    );
    expect(outcomes).toEqual([
      1,
      "INVALID_INPUT",
      "INVALID_INPUT",
      "PROCEDURE_NOT_FOUND",
      "INVALID_INPUT",
      "INVALID_INPUT",
      2,
      "INVALID_INPUT",
    ]);
    expect(await call(service.url, "session.stm", { sessionId })).toMatchObject({
      stm: [["a"], ["d"]],
    });
  });

  it("of inputs that are no object is refused as a whole", async () => {
    const request = rpcRequest("mutation", "session.observe,session.observe?batch=1", "text");

    expectError(await send(service.url, request), "INVALID_INPUT");
  });
});
