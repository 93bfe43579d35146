import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startLossyProxy } from "../support/sdk/lossy-proxy.ts";
import type { SdkService } from "../support/sdk/sdk-service.ts";
import { startSdkService } from "../support/sdk/sdk-service.ts";
import { STORE_KINDS } from "../support/service.ts";

const AB = [{ strings: ["a"] }, { strings: ["b"] }];

describe.each(STORE_KINDS)("learning through the client on %s", (kind) => {
  let sdk: SdkService;
  beforeAll(async () => {
    sdk = await startSdkService({ kind });
  });
  afterAll(() => sdk[Symbol.asyncDispose]());

  it("counts a learn once whose replies are lost, and each of a sequence's", async () => {
    const nodeId = "lost replies";
    await using proxy = await startLossyProxy(sdk.service.url, ({ nth }) => nth % 3 !== 0);
    const session = await sdk.connect({ url: proxy.url }).session.create({ nodeId });
    await session.observeSequence({ observations: AB });

    const reply = await session.learn();
    const sequence = await session.observeSequence({ observations: AB, learnAtEnd: true });

    expect(reply).toMatchObject({ frequency: 1, replayed: true });
    expect(sequence).toMatchObject({ finalLearned: reply.learned, replayed: true });
    const pattern = await sdk.client.node.pattern({ nodeId, name: reply.learned ?? "" });
    expect(pattern.frequency).toBe(2);
  });

  it("keeps the order of observes, learns and predictions of one tick", async () => {
    const session = await sdk.client.session.create({ nodeId: "one tick" });

    const [, learned, , , predicted] = await Promise.all([
      session.observeSequence({ observations: [...AB, { strings: ["c"] }] }),
      session.learn(),
      session.observe({ strings: ["a"] }),
      session.observe({ strings: ["b"] }),
      session.predict(),
    ]);

    expect(predicted.predictions.map(({ name }) => `PTRN|${name}`)).toEqual([learned.learned]);
    expect(predicted).toMatchObject({ time: 5, futurePotentials: [{ future: [["c"]] }] });
  });

  it("tells what comes next, after the learns and observes of the same tick", async () => {
    const session = await sdk.client.session.create({ nodeId: "what comes next" });

    const [, learned, , , { events, end, other, confidence, time }] = await Promise.all([
      session.observeSequence({ observations: [...AB, { strings: ["c"] }] }),
      session.learn(),
      session.observe({ strings: ["a"] }),
      session.observe({ strings: ["b"] }),
      session.next({ k: 2 }),
    ]);

    const [first] = events;
    expect(first).toMatchObject({ event: ["c"], support: 1, probability: confidence });
    expect(first?.because.map(({ pattern, position }) => [pattern, position])).toEqual([
      [learned.learned, 1],
    ]);
    const listed = events.reduce((sum, { probability }) => sum + probability, 0);
    expect([events.length, time]).toEqual([2, 5]);
    expect(listed + end + other).toBeCloseTo(1, 9);
  });

  it("reaches everything of a node", async () => {
    const nodeId = "everything";
    const { node, session: sessions } = sdk.client;
    const session = await sessions.create({ nodeId });
    await session.observeSequence({ observations: AB, learnAtEnd: true });
    const { items } = await node.patterns({ nodeId });
    const [{ name }] = items as [(typeof items)[number]];

    expect(await node.stats({ nodeId })).toMatchObject({ patterns: 1, sessions: 1 });
    expect((await node.symbols({ nodeId })).items.map(({ symbol }) => symbol)).toEqual(["a", "b"]);
    expect(await node.correct({ nodeId, name, frequency: 3 })).toMatchObject({ frequency: 3 });
    expect(await node.finalize({ nodeId })).toEqual({ patterns: 1 });
    expect((await session.cognition()).time).toBe(2);
    expect(await node.forget({ nodeId, name })).toEqual({ forgotten: true });
    await expect(node.pattern({ nodeId, name })).rejects.toMatchObject({
      code: "PATTERN_NOT_FOUND",
    });
    expect(await node.clear({ nodeId })).toEqual({ cleared: true });
  });
});
