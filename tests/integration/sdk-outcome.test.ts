import type { KatoError } from "@kato-rpc/client";
import { createKatoClient, isKatoError } from "@kato-rpc/client";
import { describe, expect, it } from "vitest";
import { freePort } from "../support/free-port.ts";
import { startRedis } from "../support/redis-server.ts";
import { errorFor, fakeFetch, resultFor } from "../support/sdk/fake-service.ts";
import { waitFor } from "../support/wait-for.ts";
import { watchService } from "../support/watched-service.ts";

describe("a call that fails", () => {
  it("tells whether it was refused, cut at the deadline while its store was stuck, or lost with its worker", async () => {
    await using redis = await startRedis();
    await using service = await watchService({
      store: redis.url,
      env: { KATO_DEADLINE_MS: "1000", KATO_SLOW_MS: "0" },
    });
    const client = createKatoClient({ url: service.url, retries: 0 });
    const session = await client.session.create({ nodeId: "outcomes" });

    const refused = await failure(session.observe({ strings: ["a"], expectedTime: 7 }));
    await redis.pause();
    const cut = await failure(session.observe({ strings: ["a"] }));
    const stuck = failure(session.observe({ strings: ["a"] }));
    await waitFor(
      async () => {
        const { current } = await client.monitor.concurrency({ scope: "worker" });
        return current.concurrentRequests > 1;
      },
      { what: "the call to run" },
    );
    process.kill(service.workerPids()[0]!, "SIGKILL");
    const lost = await stuck;
    await redis.resume();
    await client.close();

    expect(refused).toMatchObject({ code: "TIME_CONFLICT", outcome: "no-effect" });
    expect(cut).toMatchObject({ code: "STORE_UNAVAILABLE", outcome: "unknown", retryable: true });
    expect(cut.message).toMatch(/whether .* took effect is unknown, repeat it with the same id$/);
    expect(lost).toMatchObject({ code: "CONNECTION_FAILED", outcome: "unknown", retryable: true });
  });

  it("has had no effect when nobody listens, however often it is tried", async () => {
    const client = createKatoClient({ url: `http://127.0.0.1:${await freePort()}`, retries: 2 });

    const error = await failure(client.session.create({ nodeId: "node" }));

    expect(error).toMatchObject({ code: "CONNECTION_FAILED", outcome: "no-effect" });
  });

  it("may have had an effect when it was refused only after an attempt whose reply was lost", async () => {
    let attempts = 0;
    const fetch = fakeFetch(({ calls }) => {
      attempts += 1;
      if (attempts === 1) throw new TypeError("fetch failed");
      return calls.map((call) => errorFor(call, "SESSION_NOT_FOUND"));
    });
    const client = createKatoClient({ url: "http://fake", fetch });

    const error = await failure(client.session.attach("s").delete());

    expect(error).toMatchObject({
      code: "SESSION_NOT_FOUND",
      message: "it is SESSION_NOT_FOUND",
      outcome: "unknown",
      retryable: false,
    });
    expect(error.shape?.data.kato).toBe("SESSION_NOT_FOUND");
  });

  it("gives each call of a batch that is lost the outcome of its own attempts", async () => {
    let requests = 0;
    const fetch = fakeFetch(({ calls }) => {
      requests += 1;
      if (requests === 1) {
        return calls.map((call) =>
          call.input["sessionId"] === "a"
            ? errorFor(call, "STORE_UNAVAILABLE")
            : errorFor(call, "OVERLOADED"),
        );
      }
      return calls.map((call) => errorFor(call, "OVERLOADED"));
    });
    const client = createKatoClient({ url: "http://fake", fetch, retries: 1 });

    const errors = await Promise.all(
      ["a", "b"].map((id) => failure(client.session.attach(id).observe({ strings: ["x"] }))),
    );

    expect(errors.map(({ code, outcome }) => [code, outcome])).toEqual([
      ["OVERLOADED", "unknown"],
      ["OVERLOADED", "no-effect"],
    ]);
  });

  it.each([
    ["before it was sent", 0, "no-effect"],
    ["while it was under way", 1, "unknown"],
  ])("by its caller's leaving %s tells so", async (_, sent, outcome) => {
    const arrived: unknown[] = [];
    const fetch = fakeFetch(({ calls }) => {
      arrived.push(...calls);
      return new Promise(() => undefined);
    });
    const client = createKatoClient({ url: "http://fake", fetch });
    const leaving = new AbortController();

    const call = failure(
      client.session.attach("s").observe({ strings: ["a"] }, { signal: leaving.signal }),
    );
    await waitFor(() => arrived.length >= sent, { what: "the request" });
    leaving.abort();

    expect(await call).toMatchObject({ code: "ABORTED", outcome });
  });

  it("by its time while earlier calls of its session go on was never sent", async () => {
    const held = Promise.withResolvers<void>();
    const fetch = fakeFetch(async ({ calls }) => {
      await held.promise;
      return calls.map((call) => resultFor(call));
    });
    const client = createKatoClient({ url: "http://fake", fetch, batch: { maxCalls: 1 } });
    const session = client.session.attach("s");

    const first = session.observe({ strings: ["a"] });
    const second = await failure(session.observe({ strings: ["b"] }, { timeoutMs: 50 }));
    held.resolve();
    await first;

    expect(second).toMatchObject({ code: "TIMEOUT", outcome: "no-effect" });
  });

  it("by its time after it was sent may have had an effect", async () => {
    const fetch = fakeFetch(() => new Promise(() => undefined));
    const client = createKatoClient({ url: "http://fake", fetch });

    const error = await failure(
      client.session.attach("s").observe({ strings: ["a"] }, { timeoutMs: 50 }),
    );

    expect(error).toMatchObject({ code: "TIMEOUT", outcome: "unknown" });
  });
});

/** The error that a call fails with. */
async function failure(call: Promise<unknown>): Promise<KatoError> {
  const error: unknown = await call.then(
    (value) => value,
    (thrown: unknown) => thrown,
  );
  if (!isKatoError(error)) throw new Error(`not failed: ${String(error)}`);
  return error;
}
