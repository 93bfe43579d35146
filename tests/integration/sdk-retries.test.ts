import { createKatoClient, isKatoError } from "@kato-rpc/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../support/free-port.ts";
import { errorFor, fakeFetch, resultFor } from "../support/sdk/fake-service.ts";
import { recordFetch } from "../support/sdk/fetch-recorder.ts";
import { MUTATIONS, namelessStateOf, openPlaceFor } from "../support/mutations.ts";
import { call } from "../support/wire.ts";
import { startLossyProxy } from "../support/sdk/lossy-proxy.ts";
import type { SdkService } from "../support/sdk/sdk-service.ts";
import { startSdkService } from "../support/sdk/sdk-service.ts";

describe("a reply that is lost after the service did its work", () => {
  let sdk: SdkService;
  beforeAll(async () => {
    sdk = await startSdkService();
  });
  afterAll(() => sdk[Symbol.asyncDispose]());

  it("is asked for again under the same id: the observation is kept once", async () => {
    await using proxy = await startLossyProxy(
      sdk.service.url,
      ({ path, nth }) => path === "/trpc/session.observe" && nth <= 2,
    );
    const session = await sdk.connect({ url: proxy.url }).session.create({ nodeId: "lost" });

    const reply = await session.observe({ strings: ["once"] });

    expect(reply).toMatchObject({ time: 1, stmLength: 1, replayed: true });
    expect((await session.stm()).stm).toEqual([["once"]]);
    const ids = proxy.bodies.flatMap((body) => /"observationId":"([^"]+)"/.exec(body)?.[1] ?? []);
    expect(ids.length).toBe(3);
    expect(new Set(ids)).toEqual(new Set([reply.observationId]));
  });

  it.each(MUTATIONS)("is told again to $procedure, which takes effect once", async (mutation) => {
    const { procedure } = mutation;
    const place = await openPlaceFor(mutation, sdk.service.url);
    await using proxy = await startLossyProxy(
      sdk.service.url,
      ({ path, nth }) => path === `/trpc/${procedure}` && nth === 1,
    );
    const client = sdk.connect({ url: proxy.url });
    const { requestId: _, observationId: __, ...input } = mutation.input(place);
    const [group = "", name = ""] = procedure.split(".");
    // Any procedure by its name, which the types of `raw` have only one by one.
    const raw = client.raw as unknown as Record<
      string,
      Record<string, { mutate(input: object): Promise<Record<string, unknown>> }>
    >;

    const reply = await raw[group]![name]!.mutate(input);

    expect(reply["replayed"]).toBe(true);
    expect(proxy.bodies).toHaveLength(2);
    expect(proxy.bodies[0]).toMatch(/"(requestId|observationId)":"/);
    expect(proxy.bodies[1]).toBe(proxy.bodies[0]);
    const alone = await openPlaceFor(mutation, sdk.service.url);
    await call(sdk.service.url, procedure, mutation.input(alone));
    expect(await namelessStateOf(sdk.service.url, place)).toEqual(
      await namelessStateOf(sdk.service.url, alone),
    );
  });

  it("leaves every call of a batch in its place", async () => {
    await using proxy = await startLossyProxy(
      sdk.service.url,
      ({ path, nth }) => path.includes(",") && nth % 2 === 1,
    );
    const client = sdk.connect({ url: proxy.url, batch: { maxCalls: 10 } });
    const session = await client.session.create({ nodeId: "lost" });

    const replies = await Promise.all(
      Array.from({ length: 35 }, (_, i) => session.observe({ strings: [`${i}`] })),
    );

    expect(replies.map(({ time }) => time)).toEqual(replies.map((_, i) => i + 1));
    expect((await session.stm()).stm).toEqual(replies.map((_, i) => [`${i}`]));
    expect(replies.filter(({ replayed }) => replayed).length).toBeGreaterThan(0);
  });

  it("does not create a session twice", async () => {
    await using proxy = await startLossyProxy(sdk.service.url, ({ nth }) => nth === 1);
    const client = sdk.connect({ url: proxy.url });

    const session = await client.session.create({ nodeId: "created once" });

    const { items } = await client.session.list({ nodeId: "created once" });
    expect(items.map(({ sessionId }) => sessionId)).toEqual([session.sessionId]);
  });

  it("is not asked for again where no retries are wanted", async () => {
    await using proxy = await startLossyProxy(sdk.service.url, () => true);
    const client = sdk.connect({ url: proxy.url });

    const create = client.session.create({ nodeId: "lost" }, { retries: 0 });

    await expect(create).rejects.toMatchObject({ code: "CONNECTION_FAILED", retryable: true });
    expect(proxy.bodies.length).toBe(1);
  });
});

describe("a service that is overloaded", () => {
  it("gets each call again until it is taken, in the order of the session's calls", async () => {
    await using sdk = await startSdkService({
      env: { KATO_LIMIT_CONCURRENCY: "1", KATO_QUEUE_LIMIT: "4" },
      retries: 100,
    });
    const recorder = recordFetch();
    const client = sdk.connect({ fetch: recorder.fetch, batch: { maxCalls: 6 } });
    const sessions = await Promise.all(
      Array.from({ length: 3 }, () => client.session.create({ nodeId: "busy" })),
    );
    const before = recorder.requests.length;

    const replies = await Promise.all(
      Array.from({ length: 18 }, (_, i) => sessions[i % 3]!.observe({ strings: [`${i}`] })),
    );

    expect(replies.map(({ time }) => time)).toEqual(replies.map((_, i) => Math.floor(i / 3) + 1));
    expect(replies.some(({ replayed }) => replayed)).toBe(false);
    expect(recorder.requests.length - before).toBeGreaterThan(3);
    expect(recorder.overlaps).toBe(0);
    const stats = await client.monitor.stats();
    expect(stats.counters.errorsByCode["OVERLOADED"]).toBeGreaterThan(0);
  });

  it("is not asked again before the time that it named", async () => {
    const times: number[] = [];
    const fetch = fakeFetch(({ calls }) => {
      times.push(performance.now());
      return calls.map((call) =>
        times.length === 1
          ? errorFor(call, "OVERLOADED", { retryAfterMs: 300 })
          : resultFor(call, { active: 7 }),
      );
    });
    const client = createKatoClient({ url: "http://fake", fetch });

    expect(await client.session.count()).toEqual({ active: 7 });

    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(299);
    expect(times[1]! - times[0]!).toBeLessThan(1_000);
  });

  it("may name the time in the Retry-After header alone", async () => {
    const times: number[] = [];
    const fetch = async (url: string, init: RequestInit) => {
      times.push(performance.now());
      if (times.length === 1) {
        return new Response("busy", { status: 503, headers: { "retry-after": "1" } });
      }
      return fakeFetch(({ calls }) => calls.map((call) => resultFor(call)))(url, init);
    };
    const client = createKatoClient({ url: "http://fake", fetch });

    await client.session.count();

    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(999);
  });

  it("is told to the caller at once when the call's time does not allow to wait", async () => {
    const fetch = fakeFetch(({ calls }) =>
      calls.map((call) => errorFor(call, "OVERLOADED", { retryAfterMs: 5_000 })),
    );
    const client = createKatoClient({ url: "http://fake", fetch });
    const startedAt = performance.now();

    const call = client.session.count({}, { timeoutMs: 2_000 });

    await expect(call).rejects.toMatchObject({
      code: "OVERLOADED",
      details: { retryAfterMs: 5_000 },
    });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

describe("a call that fails for a while", () => {
  it.each(["STORE_UNAVAILABLE", "SHUTTING_DOWN"])("is retried on %s", async (code) => {
    let attempts = 0;
    const fetch = fakeFetch(({ calls }) => {
      attempts += 1;
      return calls.map((call) => (attempts < 3 ? errorFor(call, code) : resultFor(call)));
    });
    const client = createKatoClient({ url: "http://fake", fetch });

    await client.session.count();

    expect(attempts).toBe(3);
  });

  it.each(["SESSION_NOT_FOUND", "TIME_CONFLICT", "INTERNAL"])(
    "is not retried on %s",
    async (code) => {
      let attempts = 0;
      const fetch = fakeFetch(({ calls }) => {
        attempts += 1;
        return calls.map((call) => errorFor(call, code));
      });
      const client = createKatoClient({ url: "http://fake", fetch });

      await expect(client.session.count()).rejects.toMatchObject({
        code,
        message: `it is ${code}`,
      });

      expect(attempts).toBe(1);
    },
  );

  it("is given up after as many retries as are allowed", async () => {
    let attempts = 0;
    const fetch = fakeFetch(({ calls }) => {
      attempts += 1;
      return calls.map((call) => errorFor(call, "STORE_UNAVAILABLE"));
    });
    const client = createKatoClient({ url: "http://fake", fetch, retries: 2 });

    await expect(client.session.count()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });

    expect(attempts).toBe(3);
  });

  it("is not overtaken by the later calls of its session, while others go on", async () => {
    const order: string[] = [];
    let failures = 0;
    let hasRecovered = false;
    const fetch = fakeFetch(({ calls }) =>
      calls.map((call) => {
        const name = `${String(call.input["sessionId"])}${String(call.input["strings"])}`;
        if (name === "a1" && !hasRecovered) {
          failures += 1;
          return errorFor(call, "STORE_UNAVAILABLE", { retryAfterMs: 30 });
        }
        order.push(name);
        return resultFor(call);
      }),
    );
    const client = createKatoClient({
      url: "http://fake",
      fetch,
      batch: { maxCalls: 1 },
      retries: 50,
    });
    const observe = (sessionId: string, symbol: string) =>
      client.session.attach(sessionId).observe({ strings: [symbol] });

    const first = observe("a", "1");
    await expect.poll(() => failures).toBeGreaterThan(0);
    const [second, other, third] = [observe("a", "2"), observe("b", "1"), observe("a", "3")];
    await other;
    hasRecovered = true;
    await Promise.all([first, second, third]);

    expect(order).toEqual(["b1", "a1", "a2", "a3"]);
  });

  it("tells of the connection when nobody listens", async () => {
    const client = createKatoClient({ url: `http://127.0.0.1:${await freePort()}`, retries: 1 });

    const error: unknown = await client.monitor.health().catch((thrown: unknown) => thrown);

    if (!isKatoError(error, "CONNECTION_FAILED")) throw error;
    expect(error.message).toMatch(/^no reply from http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    expect(error.cause).toBeInstanceOf(TypeError);
  });
});
