import { describe, expect, it } from "vitest";
import { startTestApp } from "../support/test-app.ts";
import { call, rpcRequest, send } from "../support/wire.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;

type Result = { result: { requestId: string; sessionId?: string } };

describe("a reply", () => {
  it.each([
    ["the caller's id", { "x-request-id": "mine" }, "mine"],
    ["the trace's id", { traceparent: TRACEPARENT }, TRACE_ID],
    [
      "the caller's id before the trace's",
      { "x-request-id": "mine", traceparent: TRACEPARENT },
      "mine",
    ],
    ["an id of the service", {}, expect.stringMatching(/^[0-9a-f-]{36}$/)],
    [
      "an id of the service for garbage",
      { "x-request-id": "gar bage" },
      expect.stringMatching(/^[0-9a-f-]{36}$/),
    ],
    [
      "an id of the service for two",
      { "x-request-id": "one, two" },
      expect.stringMatching(/^[0-9a-f-]{36}$/),
    ],
  ])("bears %s in head and body, and the log has it", async (_, headers, requestId) => {
    await using app = await startTestApp();

    const reply = await send(app.url, {
      path: "/trpc/session.count",
      headers,
    });

    expect(reply.headers["x-request-id"]).toEqual(requestId);
    expect((reply.body as Result).result.requestId).toBe(reply.headers["x-request-id"]);
    expect(app.log).toContainEqual(
      expect.objectContaining({ msg: "call", requestId: reply.headers["x-request-id"] }),
    );
  });

  it("bears the session that it was computed for", async () => {
    await using app = await startTestApp();
    const { sessionId } = await call<{ sessionId: string }>(app.url, "session.create", {
      nodeId: "n",
    });

    for (const [kind, path] of [
      ["query", "session.get"],
      ["query", "session.stm"],
      ["query", "session.percept"],
      ["query", "session.exists"],
      ["mutation", "session.observe"],
      ["mutation", "session.clearStm"],
      ["mutation", "session.extend"],
      ["mutation", "session.delete"],
    ] as const) {
      const reply = await send(app.url, rpcRequest(kind, path, { json: { sessionId } }));

      expect(reply.body).toMatchObject({ result: { sessionId } });
    }
  });

  it("of a refused call bears the session too, where it is known", async () => {
    await using app = await startTestApp();
    const sessionId = "none-of-ours";

    const reply = await send(app.url, rpcRequest("query", "session.get", { json: { sessionId } }));

    expect(reply.body).toMatchObject({ error: { json: { data: { sessionId } } } });
  });

  it("can be followed through the log at level debug, station by station", async () => {
    await using app = await startTestApp({ settings: { KATO_LOG_LEVEL: "debug" } });
    const { sessionId } = await call<{ sessionId: string }>(app.url, "session.create", {
      nodeId: "n",
    });
    const request = rpcRequest("mutation", "session.observe", {
      json: { sessionId, strings: ["not-to-be-logged"], metadata: { not: "to-be-logged" } },
    });

    await send(app.url, { ...request, headers: { ...request.headers, traceparent: TRACEPARENT } });

    const stations = app.log
      .filter(({ requestId }) => requestId === TRACE_ID)
      .flatMap(({ station }) => station ?? []);
    expect(stations).toEqual(["received", "admitted", "computed", "committed", "replied"]);
    expect(JSON.stringify(app.log)).not.toContain("to-be-logged");
  });
});
