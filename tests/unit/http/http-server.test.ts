import { describe, expect, it } from "vitest";
import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { createHttp } from "../../../server/http/http-server.ts";
import type { RpcDispatch } from "../../../server/http/rpc-dispatch.ts";
import { Serving } from "../../../server/http/serving.ts";

/** A server whose refusals are the names of what was refused. */
function createServer(refused: unknown[]) {
  const refuse = (error: unknown, requestId: string) => {
    refused.push(error);
    return { httpStatus: 418, json: JSON.stringify({ requestId }), retryAfterMs: undefined };
  };
  // Of the dispatch, the server uses nothing else.
  const dispatch = { refuse } as unknown as RpcDispatch;
  return createHttp({ keepAliveSeconds: 75 }, { dispatch, serving: new Serving() }).http;
}

describe("the HTTP server", () => {
  it("hands an error that nobody expected to the dispatch, whole", async () => {
    const refused: unknown[] = [];
    const http = createServer(refused);
    const bug = new TypeError("secret");
    http.get("/bug", async () => {
      throw bug;
    });

    const reply = await http.inject({ url: "/bug", headers: { "x-request-id": "mine" } });

    expect(reply.statusCode).toBe(418);
    expect(reply.json()).toEqual({ requestId: "mine" });
    expect(reply.headers["x-request-id"]).toBe("mine");
    expect(refused).toEqual([bug]);
    await http.close();
  });

  it.each([
    ["/nothing", "PROCEDURE_NOT_FOUND"],
    ["/%zz", "INVALID_INPUT"],
    [`/${"x".repeat(16_000)}`, "LIMIT_EXCEEDED"],
  ])("hands its own refusals to the dispatch as typed errors: %.20s", async (url, code) => {
    const refused: unknown[] = [];
    const http = createServer(refused);

    const reply = await http.inject({ url });

    expect(reply.statusCode).toBe(418);
    expect(refused).toEqual([expect.any(ServiceError)]);
    expect(refused).toMatchObject([{ code }]);
    await http.close();
  });

  it("waits a bounded time for a request to arrive whole", async () => {
    const http = createServer([]);

    expect(http.server.requestTimeout).toBe(60_000);
    expect(http.server.headersTimeout).toBeGreaterThan(0);
    expect(http.server.keepAliveTimeout).toBe(75_000);
    await http.close();
  });
});
