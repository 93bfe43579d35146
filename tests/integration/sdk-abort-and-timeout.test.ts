import { createKatoClient } from "@kato-rpc/client";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Arrived } from "../support/sdk/fake-service.ts";
import { errorFor, fakeFetch, resultFor } from "../support/sdk/fake-service.ts";
import type { SdkService } from "../support/sdk/sdk-service.ts";
import { startSdkService } from "../support/sdk/sdk-service.ts";

let sdk: SdkService;
beforeAll(async () => {
  sdk = await startSdkService();
});
afterAll(() => sdk[Symbol.asyncDispose]());

describe("an aborted call", () => {
  it("rejects at once, and the others of its batch go on", async () => {
    const session = await sdk.client.session.create({ nodeId: "abort" });
    const controller = new AbortController();

    const calls = [
      session.observe({ strings: ["1"] }),
      session.observe({ strings: ["2"] }, { signal: controller.signal }),
      session.observe({ strings: ["3"] }),
    ];
    controller.abort(new Error("changed my mind"));
    const [first, second, third] = await Promise.allSettled(calls);

    expect(first).toMatchObject({ value: { time: 1 } });
    expect(second).toMatchObject({
      reason: { code: "ABORTED", retryable: false, cause: new Error("changed my mind") },
    });
    expect(third).toMatchObject({ value: { time: 2 } });
    // Aborted before the tick was over, it was never sent.
    expect((await session.stm()).stm).toEqual([["1"], ["3"]]);
  });

  it("rejects while its batch is under way, whose other calls are answered", async () => {
    const held = holdFetch();
    const client = createKatoClient({ url: "http://fake", fetch: held.fetch });
    const controller = new AbortController();

    const aborted = client.session.count({}, { signal: controller.signal });
    const other = client.session.count();
    const arrived = await held.arrived(1);
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
    held.answer();

    expect(await other).toEqual({});
    expect(arrived.signal.aborted).toBe(false);
  });

  it("ends its request when nobody else waits for it", async () => {
    const held = holdFetch();
    const client = createKatoClient({ url: "http://fake", fetch: held.fetch });
    const controller = new AbortController();

    const call = client.session.count({}, { signal: controller.signal });
    const arrived = await held.arrived(1);
    controller.abort();

    await expect(call).rejects.toMatchObject({ code: "ABORTED" });
    expect(arrived.signal.aborted).toBe(true);
    expect(held.requests.length).toBe(1);
  });

  it("is never sent when its signal has aborted before", async () => {
    const held = holdFetch();
    const client = createKatoClient({ url: "http://fake", fetch: held.fetch });

    const call = client.session.count({}, { signal: AbortSignal.abort() });

    await expect(call).rejects.toMatchObject({ code: "ABORTED" });
    expect(held.requests).toEqual([]);
  });

  it("is not retried any more", async () => {
    let attempts = 0;
    const fetch = fakeFetch(({ calls }) => {
      attempts += 1;
      return calls.map((call) => errorFor(call, "OVERLOADED", { retryAfterMs: 500 }));
    });
    const client = createKatoClient({ url: "http://fake", fetch });
    const controller = new AbortController();

    const call = client.session.attach("s").observe({}, { signal: controller.signal });
    await expect.poll(() => attempts).toBe(1);
    controller.abort();

    await expect(call).rejects.toMatchObject({ code: "ABORTED" });
    await expect(client.session.count({}, { retries: 1 })).rejects.toThrow();
    expect(attempts).toBe(3);
  });

  it("leaves no timer behind that was to wake it for a retry", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const fetch = fakeFetch(({ calls }) =>
        calls.map((call) => errorFor(call, "OVERLOADED", { retryAfterMs: 5_000 })),
      );
      const client = createKatoClient({ url: "http://fake", fetch });
      const controller = new AbortController();
      const call = client.session.count({}, { signal: controller.signal });
      // The call's own time and the wait before the retry.
      await untilTrue(() => vi.getTimerCount() === 2);

      controller.abort();

      await expect(call).rejects.toMatchObject({ code: "ABORTED" });
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("shares its signal with many others without a warning of a leak", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on("warning", onWarning);
    const { signal } = new AbortController();

    await Promise.all(Array.from({ length: 100 }, () => sdk.client.session.count({}, { signal })));
    await new Promise((resolve) => setImmediate(resolve));

    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });
});

describe("a call's time", () => {
  it("runs out with TIMEOUT, and ends the request", async () => {
    const held = holdFetch();
    const client = createKatoClient({ url: "http://fake", fetch: held.fetch, timeoutMs: 50 });

    await expect(client.session.count()).rejects.toMatchObject({
      code: "TIMEOUT",
      retryable: true,
      message: "session.count: no answer within 50 ms",
    });

    expect(held.requests[0]?.signal.aborted).toBe(true);
  });

  it("may be given per call, and includes the wait for a free request", async () => {
    const held = holdFetch();
    const client = createKatoClient({ url: "http://fake", fetch: held.fetch, maxConcurrency: 1 });
    const slow = client.session.count();
    await held.arrived(1);

    const waiting = client.session.count({}, { timeoutMs: 40 });

    await expect(waiting).rejects.toMatchObject({ code: "TIMEOUT" });
    held.answer();
    await slow;
    expect(held.requests.length).toBe(1);
  });

  it("outlasts an attempt without reply, which is made anew", async () => {
    const held = holdFetch();
    const client = createKatoClient({
      url: "http://fake",
      fetch: held.fetch,
      attemptTimeoutMs: 50,
    });

    const call = client.session.attach("s").observe();
    await held.arrived(2);
    held.answer();
    await call;

    const [first, second] = held.requests;
    expect(first?.signal.aborted).toBe(true);
    expect(second?.calls[0]?.input).toEqual(first?.calls[0]?.input);
    expect(second?.requestId).not.toBe(first?.requestId);
  });

  it("of raw calls is set in their context", async () => {
    const held = holdFetch();
    const client = createKatoClient({ url: "http://fake", fetch: held.fetch });

    const call = client.raw.session.count.query({}, { context: { timeoutMs: 30 } });

    await expect(call).rejects.toMatchObject({ name: "KatoError", code: "TIMEOUT" });
    const invalid = client.raw.session.count.query({}, { context: { retries: 1.5 } });
    await expect(invalid).rejects.toMatchObject({ name: "KatoError", code: "INVALID_INPUT" });
  });
});

describe("a closed client", () => {
  it("has given up what was under way, waiting or about to be retried", async () => {
    const held = holdFetch();
    const client = createKatoClient({ url: "http://fake", fetch: held.fetch, maxConcurrency: 1 });
    const calls = [
      client.session.attach("s").observe(),
      client.session.attach("s").observe(),
      client.session.attach("t").stm(),
    ];
    await held.arrived(1);

    const outcomes = Promise.allSettled(calls);
    await client.close();

    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({
        reason: { code: "ABORTED", message: "the client is closed" },
      });
    }
    expect(held.requests[0]?.signal.aborted).toBe(true);
    await expect(client.session.count()).rejects.toMatchObject({ code: "ABORTED" });
    expect(held.requests.length).toBe(1);
  });

  it("waits until its requests have ended", async () => {
    let hasEnded = false;
    const client = createKatoClient({
      url: "http://fake",
      fetch: async (_, { signal }) => {
        await untilTrue(() => signal?.aborted === true);
        await new Promise((resolve) => setTimeout(resolve, 20));
        hasEnded = true;
        throw signal?.reason;
      },
    });
    const call = client.session.count().catch((error: unknown) => error);
    await new Promise((resolve) => setImmediate(resolve));

    await client.close();

    expect(hasEnded).toBe(true);
    expect(await call).toMatchObject({ code: "ABORTED" });
  });

  it("does not wait for headers that never come", async () => {
    const client = createKatoClient({
      url: "http://fake",
      headers: () => new Promise(() => undefined),
    });
    const call = client.session.count().catch((error: unknown) => error);
    await new Promise((resolve) => setImmediate(resolve));

    await client.close();

    expect(await call).toMatchObject({ code: "ABORTED" });
  });

  it("is what a signal or the end of a scope makes of it", async () => {
    const held = holdFetch();
    const controller = new AbortController();
    const bySignal = createKatoClient({
      url: "http://fake",
      fetch: held.fetch,
      signal: controller.signal,
    });
    const scoped = async () => {
      await using client = createKatoClient({ url: "http://fake", fetch: held.fetch });
      return { call: client.session.count() };
    };

    const first = bySignal.session.count();
    controller.abort("enough");
    const { call: second } = await scoped().then(({ call }) => ({
      call: call.catch((e: unknown) => e),
    }));

    await expect(first).rejects.toMatchObject({ code: "ABORTED", cause: "enough" });
    expect(await second).toMatchObject({ code: "ABORTED" });
  });
});

/** A `fetch` whose requests are answered when the test says so. */
function holdFetch() {
  const requests: Arrived[] = [];
  let answer = () => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const fetch = fakeFetch(async (arrived) => {
    requests.push(arrived);
    await answered;
    return arrived.calls.map((call) => resultFor(call));
  });
  const arrived = async (count: number): Promise<Arrived> => {
    await expect.poll(() => requests.length).toBeGreaterThanOrEqual(count);
    return requests[count - 1]!;
  };
  return { fetch, requests, answer, arrived };
}

/** Looks after every turn of the event loop, with no timer of its own. */
async function untilTrue(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 100_000) throw new Error("never became true");
    await new Promise((resolve) => setImmediate(resolve));
  }
}
