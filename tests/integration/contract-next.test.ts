import type { LearnReply, NextReply } from "@kato-rpc/shared/session.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { vectorName } from "../../server/engine/vector-symbol.ts";
import type { PinnedClient } from "../support/clients/pinned-client.ts";
import { pinToWorkers } from "../support/clients/pinned-client.ts";
import { deviationOf } from "../support/next-sums.ts";
import { createSession, learnEvents, nextAfter, observeEvents } from "../support/node-calls.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import { call, expectError, tryCall } from "../support/wire.ts";

const A_TO_C = [["a"], ["b"], ["c"]];
const A_TO_D = [["a"], ["b"], ["d"]];
const A_B = [["a"], ["b"]];

describe.each(STORE_KINDS)("session.next on %s", (kind) => {
  let url: string;
  let workers: PinnedClient[];
  let stack: AsyncDisposableStack;
  let nodes = 0;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    const store = stack.use(await openTestStore(kind));
    ({ url } = stack.use(await startService({ store: store.url, workers: 2 })));
    workers = await pinToWorkers(url, 2);
    for (const worker of workers) stack.defer(() => worker.close());
  });
  afterAll(() => stack.disposeAsync());

  function newNode(): string {
    nodes += 1;
    return `node ${nodes}`;
  }

  async function learnBoth(nodeId: string): Promise<void> {
    await learnEvents(url, nodeId, A_TO_C);
    for (let i = 0; i < 3; i += 1) await learnEvents(url, nodeId, A_TO_D);
  }

  /** What each worker tells of one session. */
  function askWorkers(sessionId: string): Promise<NextReply[]> {
    const input = { sessionId, k: 100 };
    return Promise.all(workers.map((worker) => worker.call<NextReply>("session.next", input)));
  }

  it("ranks what may come by its probability, with its evidence", async () => {
    const nodeId = newNode();
    await learnEvents(url, nodeId, A_TO_C);
    const { learned } = await learnEvents(url, nodeId, A_TO_D);
    await learnEvents(url, nodeId, A_TO_D);

    const reply = await nextAfter(url, nodeId, A_B);

    const [first, second] = reply.events;
    expect(reply).toMatchObject({ nodeId, time: 2, empty: null, confidence: first?.probability });
    expect(first).toMatchObject({ event: ["d"], support: 2 });
    expect(second).toMatchObject({ event: ["c"], support: 1 });
    expect(first?.because).toEqual([
      { pattern: learned, position: 1, weight: expect.any(Number), frequency: 2 },
    ]);
    const falling = reply.events.map(({ probability }) => probability);
    expect(falling).toEqual(falling.toSorted((a, b) => b - a));
  });

  it.each([{}, { k: 1 }, { k: 2, horizon: 2 }, { k: 100, horizon: 1_000 }])(
    "gives probabilities that sum up to 1, and weights to theirs: %j",
    async (input) => {
      const nodeId = newNode();
      await learnBoth(nodeId);

      const reply = await nextAfter(url, nodeId, A_B, input);

      expect(reply.events).not.toEqual([]);
      expect(deviationOf(reply)).toBeLessThan(1e-9);
    },
  );

  it("tells that the sequence is over, and looks as far ahead as it is asked to", async () => {
    const nodeId = newNode();
    await learnBoth(nodeId);

    const over = await nextAfter(url, nodeId, A_TO_D);
    const afterNext = await nextAfter(url, nodeId, [["a"]], { horizon: 2 });

    expect(over.end).toBeGreaterThan(0.5);
    expect(over.confidence).toBe(over.end);
    expect(afterNext.events[0]?.event).toEqual(["d"]);
  });

  it("answers with nothing but other where nothing is known, and says why", async () => {
    const nodeId = newNode();
    const nothing = { events: [], end: 0, other: 1, confidence: 0 };

    const untaught = await nextAfter(url, nodeId, A_B);
    await learnBoth(nodeId);
    const silent = await nextAfter(url, nodeId, []);

    expect(untaught).toMatchObject({ ...nothing, empty: "NO_PATTERNS", time: 2 });
    expect(silent).toMatchObject({ ...nothing, empty: "NO_SYMBOLS", time: 0 });
  });

  it("still predicts after symbols that were never learned, and of more events than any pattern", async () => {
    const nodeId = newNode();
    await learnBoth(nodeId);
    const long = Array.from({ length: 300 }, (_, i) => [`x${i}`]);

    const unseen = await nextAfter(url, nodeId, [["never"]]);
    const longer = await nextAfter(url, nodeId, [...long, ...A_B]);

    expect(unseen.empty).toBeNull();
    expect(unseen.events.length).toBeGreaterThan(0);
    expect(longer.events[0]?.event).toEqual(["d"]);
  });

  it("takes an event for what it is with all its symbols, those of vectors too", async () => {
    const nodeId = newNode();
    const vector = [0.5, 1];
    const sessionId = await createSession(url, nodeId);
    const observations = [{ strings: ["b", "a"] }, { strings: ["x"], vectors: [vector] }];
    await call(url, "session.observeSequence", { sessionId, observations, learnAtEnd: true });

    const { events } = await nextAfter(url, nodeId, [["a", "b"]]);

    expect(events[0]?.event.toSorted()).toEqual([vectorName(vector), "x"].toSorted());
  });

  it("finds vectors again that were named by other neighbours when they were learned", async () => {
    const nodeId = newNode();
    const vectors = [
      [1, 0],
      [0.9, 0.1],
      [0.1, 0.9],
      [0, 1],
    ];
    const observations = vectors.map((vector) => ({ vectors: [vector] }));
    const learner = await createSession(url, nodeId);
    await call(url, "session.observeSequence", {
      sessionId: learner,
      observations,
      learnAtEnd: true,
    });
    for (let seen = 1; seen < vectors.length; seen += 1) {
      const sessionId = await createSession(url, nodeId);
      const input = { sessionId, observations: observations.slice(0, seen) };
      await call(url, "session.observeSequence", input);

      const { events } = await call<NextReply>(url, "session.next", { sessionId });

      expect(events[0]?.support, `after ${seen}`).toBeGreaterThan(0);
    }
  });

  it("lists k events, else as many as the setting maxPredictions says, else 10", async () => {
    const nodeId = newNode();
    for (let i = 0; i < 15; i += 1) await learnEvents(url, nodeId, [["a"], [`b${i}`]]);
    const sessionId = await createSession(url, nodeId, { maxPredictions: 7 });
    await observeEvents(url, sessionId, [["a"]]);
    const count = async (input: object): Promise<number> => {
      const question = { sessionId, ...input };
      return (await call<NextReply>(url, "session.next", question)).events.length;
    };

    expect(await count({})).toBe(7);
    expect(await count({ overrides: { maxPredictions: 3 } })).toBe(3);
    expect(await count({ overrides: { maxPredictions: null } })).toBe(10);
    expect(await count({ k: 12, overrides: { maxPredictions: 3 } })).toBe(12);
  });

  it("follows no other setting", async () => {
    const nodeId = newNode();
    await learnBoth(nodeId);
    const overrides = { recallThreshold: 1, useTokenMatching: false, filterPipeline: ["length"] };
    const sessionId = await createSession(url, nodeId);
    await observeEvents(url, sessionId, A_B);

    const usual = await call(url, "session.next", { sessionId });
    const overridden = await call(url, "session.next", { sessionId, overrides });

    expect(overridden).toEqual(usual);
  });

  it("sees a learn by any worker in the very next answer of each, and no more once it is forgotten", async () => {
    const [writer] = workers as [PinnedClient];
    const nodeId = newNode();
    await learnBoth(nodeId);
    const sessionId = await createSession(url, nodeId);
    await observeEvents(url, sessionId, A_B);
    const before = await askWorkers(sessionId);

    const learner = await createSession(url, nodeId);
    await observeEvents(url, learner, [["a"], ["b"], ["e"], ["f"]]);
    const { learned } = await writer.call<LearnReply>("session.learn", { sessionId: learner });
    const after = await askWorkers(sessionId);
    await writer.call("node.forget", { nodeId, name: learned });
    const forgotten = await askWorkers(sessionId);

    for (const { events } of after) {
      expect(events.map(({ event }) => event[0])).toEqual(expect.arrayContaining(["e", "f"]));
    }
    expect(before[1]).toEqual(before[0]);
    expect(after[1]).toEqual(after[0]);
    expect(forgotten.map((reply) => JSON.stringify(reply))).toEqual(
      before.map((reply) => JSON.stringify(reply)),
    );
  });

  it("knows nothing any more once the node was cleared, and then what is learned anew", async () => {
    const nodeId = newNode();
    await learnBoth(nodeId);
    const sessionId = await createSession(url, nodeId);
    await observeEvents(url, sessionId, A_B);
    await askWorkers(sessionId);

    await call(url, "node.clear", { nodeId });
    const cleared = await askWorkers(sessionId);
    await learnEvents(url, nodeId, A_TO_C);
    const anew = await askWorkers(sessionId);

    for (const reply of cleared) expect(reply).toMatchObject({ empty: "NO_PATTERNS", other: 1 });
    for (const { events } of anew) expect(events[0]).toMatchObject({ event: ["c"], support: 1 });
    for (const { events } of anew) expect(events.map(({ event }) => event[0])).not.toContain("d");
  });

  it("is refused for a session that is not there, and for bad input, which says what is wrong", async () => {
    const sessionId = await createSession(url, newNode());

    expectError(await tryCall(url, "session.next", { sessionId: "none" }), "SESSION_NOT_FOUND");
    for (const [field, value] of Object.entries({ k: 0, horizon: 1_001, overrides: { k: 1 } })) {
      const reply = await tryCall(url, "session.next", { sessionId, [field]: value });
      const { data } = expectError(reply, "INVALID_INPUT");
      expect(data.issues?.[0]?.path).toContain(field);
    }
    await call(url, "session.delete", { sessionId });
    expectError(await tryCall(url, "session.next", { sessionId }), "SESSION_NOT_FOUND");
  });
});

it("session.next gives the same bits on every store and worker, whatever the order of learns", async () => {
  await using stack = new AsyncDisposableStack();
  const learns = [A_TO_C, A_TO_D, [["a"], ["x", "y"], ["b"], ["c"]], A_TO_D, [["b"], ["a"], ["b"]]];
  const orders = [learns, learns.toReversed(), [...learns.slice(2), ...learns.slice(0, 2)]];
  const answers: string[] = [];
  for (const kind of STORE_KINDS) {
    const store = stack.use(await openTestStore(kind));
    const { url } = stack.use(await startService({ store: store.url, workers: 2 }));
    const workers = await pinToWorkers(url, 2);
    for (const worker of workers) stack.defer(() => worker.close());
    const [follower] = workers as [PinnedClient];
    for (const [i, order] of orders.entries()) {
      const nodeId = `order ${i}`;
      const sessionId = await createSession(url, nodeId);
      await observeEvents(url, sessionId, [["x", "y"], ...A_B]);
      const input = { sessionId, k: 100 };
      // One worker takes every change as it comes; the other reads the node when all is learned.
      for (const events of order) {
        await learnEvents(url, nodeId, events);
        await follower.call("session.next", input);
      }
      const { learned: name } = await learnEvents(url, nodeId, [["b"], [`forgotten ${i}`]]);
      await follower.call("session.next", input);
      await call(url, "node.forget", { nodeId, name });
      for (const worker of workers) {
        const reply = await worker.call<NextReply>("session.next", input);
        const { sessionId: _session, nodeId: _node, ...answer } = reply;
        answers.push(JSON.stringify(answer));
      }
    }
  }

  expect(answers).toHaveLength(12);
  expect(new Set(answers).size).toBe(1);
  expect(JSON.parse(answers[0] ?? "")).toMatchObject({ empty: null, time: 3 });
});
