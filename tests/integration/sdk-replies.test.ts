import { createKatoClient, isKatoError } from "@kato-rpc/client";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { errorFor, fakeFetch, resultFor } from "../support/sdk/fake-service.ts";

describe("a reply computed for another call", () => {
  it("is an error for both callers when a server swaps two answers of a batch", async () => {
    await using server = await startSwappingServer();
    const client = createKatoClient({ url: server.url });
    const [first, second] = [client.session.attach("s1"), client.session.attach("s2")];

    const outcomes = await Promise.allSettled([first.stm(), second.stm()]);

    for (const outcome of outcomes) {
      expect(outcome.status === "rejected" && isKatoError(outcome.reason, "MISROUTED")).toBe(true);
    }
    expect(outcomes[0]).toMatchObject({ reason: { details: { sessionId: "s1" } } });
    expect(server.requests).toBe(1);
  });

  it("is noticed by the session alone", async () => {
    const fetch = fakeFetch(({ calls }) =>
      calls.map((call) => resultFor({ ...call, input: { sessionId: "other" } })),
    );
    const client = createKatoClient({ url: "http://fake", fetch });

    const call = client.session.attach("mine").stm();

    await expect(call).rejects.toMatchObject({
      code: "MISROUTED",
      message: expect.stringContaining(
        'for session mine, answered with the reply of session "other"',
      ),
    });
  });

  it("is noticed by the request id alone, in errors too", async () => {
    const swap = (reply: typeof resultFor) =>
      fakeFetch(({ calls }) => calls.map((call) => reply({ ...call, requestId: "other" })));

    for (const fetch of [swap(resultFor), swap((call) => errorFor(call, "SESSION_NOT_FOUND"))]) {
      const client = createKatoClient({ url: "http://fake", fetch });
      await expect(client.session.attach("mine").stm()).rejects.toMatchObject({
        code: "MISROUTED",
      });
    }
  });

  it("fails no sibling whose reply is its own", async () => {
    const fetch = fakeFetch(({ calls }) =>
      calls.map((call, i) => resultFor(i === 1 ? { ...call, requestId: "x.1" } : call, { i })),
    );
    const client = createKatoClient({ url: "http://fake", fetch });

    const outcomes = await Promise.allSettled(
      ["a", "b", "c"].map((id) => client.session.attach(id).stm()),
    );

    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });
});

describe("what is no reply of the service", () => {
  const cases: Record<string, [Response, string]> = {
    "a web page": [new Response("<html>"), "INVALID_REPLY"],
    "JSON of something else": [Response.json({ ok: true }), "INVALID_REPLY"],
    "a list where one result is due": [Response.json([]), "INVALID_REPLY"],
    "a result without request id": [
      Response.json({ result: { data: { json: {} } } }),
      "INVALID_REPLY",
    ],
    "a result that is not superjson": [
      Response.json({ result: { data: 7, requestId: "1" } }),
      "MISROUTED",
    ],
    "an error of an unknown code": [
      Response.json({ error: { json: { message: "m", code: 1, data: { kato: "NEW" } } } }),
      "INVALID_REPLY",
    ],
    "a gateway's page": [new Response("Bad Gateway", { status: 502 }), "CONNECTION_FAILED"],
  };

  it.each(Object.entries(cases))("is told as such: %s", async (_, [response, code]) => {
    const client = createKatoClient({
      url: "http://fake",
      fetch: () => Promise.resolve(response.clone()),
      retries: 0,
    });

    await expect(client.session.count()).rejects.toMatchObject({ name: "KatoError", code });
  });

  it("fails every call of a batch, each by itself", async () => {
    const client = createKatoClient({
      url: "http://fake",
      fetch: () => Promise.resolve(Response.json([{ result: {} }])),
    });

    const outcomes = await Promise.allSettled([client.session.count(), client.session.count()]);

    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        reason: {
          code: "INVALID_REPLY",
          message: expect.stringContaining("1 results for 2 calls"),
        },
      });
    }
  });

  it("is the refusal of a whole batch by the service, for each of its calls", async () => {
    const refusal = (requestId: string) =>
      errorFor({ requestId, path: "", input: {} }, "LIMIT_EXCEEDED", { path: undefined, max: 5 });
    const client = createKatoClient({
      url: "http://fake",
      fetch: (_, init) =>
        Promise.resolve(
          Response.json(refusal(new Headers(init.headers).get("x-request-id") ?? "")),
        ),
    });

    const outcomes = await Promise.allSettled([client.session.count(), client.session.count()]);

    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ reason: { code: "LIMIT_EXCEEDED", details: { max: 5 } } });
    }
  });
});

/** Answers a batch of two `stm` queries rightly, but each with the other's answer. */
async function startSwappingServer() {
  const counted = { requests: 0 };
  const server = createServer((request, response) => {
    counted.requests += 1;
    const id = String(request.headers["x-request-id"]);
    const replies = ["s1", "s2"].map((sessionId, i) => ({
      result: {
        data: { json: { sessionId, stm: [], length: 0, time: 0 } },
        requestId: `${id}.${i}`,
        sessionId,
      },
    }));
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(replies.toReversed()));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(counted, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  });
}
