import { describe, expect, it } from "vitest";
import { startTestApp } from "../support/test-app.ts";
import type { LogLine, TestAppOptions } from "../support/test-app.ts";
import { batch, call, dataOf, errorOf, expectError, send, tryCall } from "../support/wire.ts";

const SECRET = "secret of the database: hunter2";

/** A store whose every way of answering about a session meets a bug. */
const buggy: TestAppOptions = {
  overrides: () => ({
    async load() {
      throw new TypeError(SECRET, { cause: new Error(`deeper ${SECRET}`) });
    },
    async commit() {
      // oxlint-disable-next-line only-throw-error -- code that is not ours may throw anything
      throw SECRET;
    },
    countSessions() {
      throw new RangeError(SECRET);
    },
  }),
};

describe("an unexpected error", () => {
  it.each(["session.get", "session.stm", "session.observe", "session.count"] as const)(
    "of %s tells the caller nothing but the request id",
    async (procedure) => {
      await using app = await startTestApp(buggy);
      const { sessionId } = await call<{ sessionId: string }>(app.url, "session.create", {
        nodeId: "n",
      });
      const input = procedure === "session.count" ? { nodeId: "n" } : { sessionId };

      const reply = await tryCall(app.url, procedure, input);

      const error = expectError(reply, "INTERNAL");
      const { requestId } = error.data;
      expect(reply.body).toEqual({
        error: {
          json: {
            message: `internal error: report the request id ${requestId}`,
            code: -32603,
            data: {
              code: "INTERNAL_SERVER_ERROR",
              httpStatus: 500,
              path: procedure,
              kato: "INTERNAL",
              requestId,
            },
          },
        },
      });
      expect(JSON.stringify(reply)).not.toContain("secret");
      expect(JSON.stringify(reply)).not.toContain(".ts");
    },
  );

  it("stands whole in the log under the request id that the caller was told", async () => {
    await using app = await startTestApp(buggy);
    const { sessionId } = await call<{ sessionId: string }>(app.url, "session.create", {
      nodeId: "n",
    });

    const error = expectError(await tryCall(app.url, "session.get", { sessionId }), "INTERNAL");

    const [bug, ...others] = bugs(app.log);
    expect(others).toEqual([]);
    expect(bug).toMatchObject({
      level: "error",
      requestId: error.data.requestId,
      procedure: "session.get",
    });
    expect(JSON.stringify(bug)).toContain(SECRET);
    expect(JSON.stringify(bug)).toContain(`deeper ${SECRET}`);
    expect(JSON.stringify(bug)).toContain("wire-internal-errors.test.ts");
    expect(app.log).toContainEqual(
      expect.objectContaining({
        msg: "call",
        requestId: error.data.requestId,
        procedure: "session.get",
        outcome: "INTERNAL",
      }),
    );
  });

  it("is found in the log by the id that the caller gave", async () => {
    await using app = await startTestApp(buggy);

    const reply = await send(app.url, {
      path: `/trpc/session.count?input=${encodeURIComponent('{"json":{"nodeId":"n"}}')}`,
      headers: { "x-request-id": "the-callers-own" },
    });

    expect(expectError(reply, "INTERNAL").data.requestId).toBe("the-callers-own");
    expect(bugs(app.log).map(({ requestId }) => requestId)).toEqual(["the-callers-own"]);
  });

  it("fails only its own call of a batch", async () => {
    await using app = await startTestApp(buggy);

    const { status, items } = await batch(app.url, "query", [
      { path: "session.list" },
      { path: "session.count", input: { nodeId: "n" } },
      { path: "node.list" },
    ]);

    expect(status).toBe(207);
    expect(dataOf(items[0]!)).toEqual({ items: [], nextCursor: null });
    const { data } = errorOf(items[1]!);
    expect(data.kato).toBe("INTERNAL");
    expect(dataOf(items[2]!)).toEqual({ items: [], nextCursor: null });
    expect(bugs(app.log).map(({ requestId }) => requestId)).toEqual([data.requestId]);
  });

  it("is counted, and does not wear out the service", async () => {
    await using app = await startTestApp({ ...buggy, settings: { KATO_LIMIT_CONCURRENCY: "2" } });

    for (let i = 0; i < 10; i++) {
      expectError(await tryCall(app.url, "session.count", { nodeId: "n" }), "INTERNAL");
    }

    expect(await call(app.url, "session.list")).toEqual({ items: [], nextCursor: null });
    const { counters } = await call<{ counters: { errorsByCode: object } }>(
      app.url,
      "monitor.stats",
    );
    expect(counters.errorsByCode).toEqual({ INTERNAL: 10 });
  });
});

function bugs(log: readonly LogLine[]): LogLine[] {
  return log.filter(({ msg }) => msg === "internal error");
}
