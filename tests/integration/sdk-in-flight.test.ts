import { setImmediate as nextTick } from "node:timers/promises";
import type { Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../client/sdk/client.ts";
import { PLATFORM } from "../../client/sdk/platform.ts";
import { openHoldingProxy } from "../support/holding-proxy.ts";
import { openRelay } from "../support/relay.ts";
import { recordFetch } from "../support/sdk/fetch-recorder.ts";
import type { SdkService } from "../support/sdk/sdk-service.ts";
import { startSdkService } from "../support/sdk/sdk-service.ts";
import { waitFor } from "../support/wait-for.ts";

let sdk: SdkService;
beforeAll(async () => {
  sdk = await startSdkService();
});
afterAll(() => sdk[Symbol.asyncDispose]());

describe("a call", () => {
  it("waits for no timer when it is alone", async () => {
    const delays: number[] = [];
    const platform = {
      ...PLATFORM,
      // Time stands still: whoever waited for a timer would wait for ever.
      after(delayMs: number) {
        delays.push(delayMs);
        return () => undefined;
      },
    };
    const client = createClient(
      { url: sdk.service.url, timeoutMs: 7_000, attemptTimeoutMs: 3_000 },
      platform,
    );

    const session = await client.session.create({ nodeId: "alone" });
    await session.observe({ strings: ["alone"] });

    expect(await session.stm()).toMatchObject({ stm: [["alone"]] });
    expect(new Set(delays)).toEqual(new Set([7_000, 3_000]));
    await client.close();
  });

  it("goes out at once while there is room beside the requests in flight", async () => {
    await using held = await startHeld({ maxConcurrency: 2 });

    const first = held.client.session.count();
    await held.sent(1);
    const second = held.client.session.count();
    await held.sent(2);

    held.release();
    expect(await Promise.all([first, second])).toHaveLength(2);
    expect(held.batches).toEqual([1, 1]);
  });
});

describe("calls made while all requests are in flight", () => {
  it("gather, however many ticks they take, and go out together when one returns", async () => {
    await using held = await startHeld({ maxConcurrency: 1 });

    const first = held.client.session.count();
    await held.sent(1);
    const others: Promise<unknown>[] = [];
    for (let tick = 0; tick < 60; tick++) {
      others.push(held.client.session.create({ nodeId: "gathered" }));
      await nextTick();
    }
    expect(held.batches).toEqual([1]);

    held.release();
    await Promise.all([first, ...others]);
    expect(held.batches).toEqual([1, 60]);
  });

  it("make few requests of a long burst: a full batch for each hundred", async () => {
    await using held = await startHeld({ maxConcurrency: 4 });

    const calls: Promise<unknown>[] = [];
    for (let tick = 0; tick < 40; tick++) {
      for (let i = 0; i < 25; i++) calls.push(held.client.session.create({ nodeId: "burst" }));
      await nextTick();
    }
    expect(held.batches).toEqual([25, 25, 25, 25]);

    held.release();
    await Promise.all(calls);
    expect(held.batches).toEqual([25, 25, 25, 25, ...Array.from({ length: 9 }, () => 100)]);
  });
});

describe("the client's connections", () => {
  it("are as many as requests at once, however many calls they carry", async () => {
    await using counted = await startCounted();
    const client = sdk.connect({ url: counted.url, maxConcurrency: 3 });

    for (let round = 0; round < 50; round++) {
      const calls = Array.from({ length: 6 }, () => client.session.create({ nodeId: "kept" }));
      await Promise.all(calls);
    }
    const sessions = await Promise.all(
      Array.from({ length: 500 }, () => client.session.create({ nodeId: "kept" })),
    );

    expect(sessions).toHaveLength(500);
    expect(counted.connections.size).toBeLessThanOrEqual(3);
  });

  it("end when they are idle, as early as the service says, without a call failing or being repeated", async () => {
    await using hasty = await startSdkService({ env: { KATO_KEEP_ALIVE_SECONDS: "2" } });
    await using counted = await startCounted(hasty);
    const recorder = recordFetch();
    const client = hasty.connect({ url: counted.url, retries: 0, fetch: recorder.fetch });

    const session = await client.session.create({ nodeId: "idle" });
    await session.observe({ strings: ["before"] });
    const { connections } = counted;
    await waitFor(() => [...connections].every(({ destroyed }) => destroyed), {
      what: "the idle connections to be closed",
    });
    await session.observe({ strings: ["after"] });

    expect((await session.stm()).stm).toEqual([["before"], ["after"]]);
    expect(recorder.requests).toHaveLength(4);
    expect(connections.size).toBeGreaterThan(1);
  });

  it("may be cut by what stands between as a call sets out, which then takes effect once", async () => {
    await using counted = await startCounted();
    const client = sdk.connect({ url: counted.url });
    const session = await client.session.create({ nodeId: "cut" });

    for (let i = 1; i <= 10; i++) {
      for (const connection of counted.connections) connection.destroy();
      expect(await session.observe({ strings: [`${i}`] })).toMatchObject({ time: i });
    }

    expect(counted.connections.size).toBeGreaterThan(10);
  });
});

/** A client whose requests don't reach the service until `release`; `batches` holds how many calls each carries. */
async function startHeld({ maxConcurrency }: { maxConcurrency: number }) {
  const proxy = await openHoldingProxy({ port: Number(new URL(sdk.service.url).port) });
  proxy.hold();
  const batches: number[] = [];
  const recorder = recordFetch();
  const client = sdk.connect({
    url: `http://127.0.0.1:${proxy.port}`,
    maxConcurrency,
    fetch(url, init) {
      const answer = recorder.fetch(url, init);
      batches.push(recorder.requests.at(-1)?.paths.length ?? 0);
      return answer;
    },
  });
  return {
    client,
    batches,
    release: () => proxy.release(),
    /** Waits until so many requests are out. */
    sent: (count: number) =>
      waitFor(() => batches.length === count, { what: `${count} requests to be sent` }),
    async [Symbol.asyncDispose]() {
      await client.close();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

/** A way to the service that knows the connections on which something was sent. */
async function startCounted({ service } = sdk) {
  const connections = new Set<Socket>();
  const port = Number(new URL(service.url).port);
  const relay = await openRelay({ port }, (chunk, server) => {
    connections.add(server);
    server.write(chunk);
  });
  return {
    url: `http://127.0.0.1:${relay.port}`,
    connections,
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  };
}
