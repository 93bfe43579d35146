import type { TRPCLink } from "@trpc/client";
import {
  createTRPCClient,
  httpBatchLink,
  httpBatchStreamLink,
  httpLink,
  TRPCClientError,
} from "@trpc/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { transformer } from "@kato-rpc/shared/transformer.ts";
import type { AppRouter } from "../../server/api/router.ts";
import type { TestApp } from "../support/test-app.ts";
import { startTestApp } from "../support/test-app.ts";

const LINKS: Record<string, (url: string) => TRPCLink<AppRouter>> = {
  httpLink: (url) => httpLink({ url, transformer }),
  httpBatchLink: (url) => httpBatchLink({ url, transformer }),
  httpBatchStreamLink: (url) => httpBatchStreamLink({ url, transformer }),
  "httpBatchStreamLink by the header accept": (url) =>
    httpBatchStreamLink({ url, transformer, streamHeader: "accept" }),
};

describe.each(Object.entries(LINKS))("tRPC's own client with %s", (_, link) => {
  let app: TestApp;
  let client: ReturnType<typeof createTRPCClient<AppRouter>>;

  beforeAll(async () => {
    app = await startTestApp();
    client = createTRPCClient<AppRouter>({ links: [link(`${app.url}/trpc`)] });
  });
  afterAll(() => app[Symbol.asyncDispose]());

  it("gets what queries and mutations answer, dates as dates", async () => {
    const metadata = JSON.parse('{"__proto__":[null],"a.b":"x","\\n":-1}') as Record<
      string,
      string
    >;

    const created = await client.session.create.mutate({ nodeId: "n", metadata });
    const { sessionId } = created;
    const observed = await client.session.observe.mutate({ sessionId, emotives: { joy: -0.5 } });
    const got = await client.session.get.query({ sessionId });

    expect(observed).toMatchObject({ sessionId, time: 1, replayed: false });
    expect(created.createdAt).toBeInstanceOf(Date);
    expect(got).toMatchObject({ createdAt: created.createdAt, time: 1 });
    expect(JSON.stringify(got.metadata)).toBe(JSON.stringify(metadata));
  });

  it("gets predictions, which are sent as text written before", async () => {
    const { sessionId } = await client.session.create.mutate({ nodeId: "predicted" });
    const observations = [{ strings: ["a"] }, { strings: ["b"] }];
    await client.session.observeSequence.mutate({ sessionId, observations, learnAtEnd: true });
    await client.session.observe.mutate({ sessionId, strings: ["a"] });

    const { predictions } = await client.session.predict.query({ sessionId });

    expect(predictions).toMatchObject([{ matches: ["a"], future: ["b"] }]);
  });

  it("may leave an input out", async () => {
    expect(await client.session.count.query()).toMatchObject({ active: expect.any(Number) });
    expect((await client.monitor.health.query()).timestamp).toBeInstanceOf(Date);
  });

  it("gets of several calls at once each its own answer, typed errors among them", async () => {
    const { sessionId } = await client.session.create.mutate({ nodeId: "n" });

    const [first, missing, second] = await Promise.allSettled([
      client.session.observe.mutate({ sessionId, strings: ["a"] }),
      client.session.observe.mutate({ sessionId: "none" }),
      client.session.observe.mutate({ sessionId, strings: ["b"] }),
    ]);
    const [invalid, stm] = await Promise.allSettled([
      client.session.stm.query({ sessionId: "" }),
      client.session.stm.query({ sessionId }),
    ]);

    expect([first, second].map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
    expect(stm).toMatchObject({ value: { length: 2, time: 2 } });
    expect(dataOf(missing)).toMatchObject({ kato: "SESSION_NOT_FOUND", httpStatus: 404 });
    expect(dataOf(invalid)).toMatchObject({ kato: "INVALID_INPUT", path: "session.stm" });
  });

  it("is told of a refusal of the whole request", async () => {
    const nodeId = "n".repeat(1_100_000);

    const [refused] = await Promise.allSettled([client.session.create.mutate({ nodeId })]);

    expect(dataOf(refused)).toMatchObject({ kato: "LIMIT_EXCEEDED", limit: "requestBodyBytes" });
  });
});

function dataOf(settled: PromiseSettledResult<unknown> | undefined): unknown {
  const reason: unknown = settled?.status === "rejected" ? settled.reason : undefined;
  return reason instanceof TRPCClientError ? reason.data : reason;
}
