import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { ObserveReply } from "@kato-rpc/shared/session.ts";
import type { PredictionList } from "@kato-rpc/shared/prediction.ts";
import { learnPattern } from "../../../server/engine/learning.ts";
import { predictNaively } from "../../../server/engine/naive/predict.ts";
import { NodeMemory } from "../../../server/engine/node-memory.ts";
import { vectorName } from "../../../server/engine/vector-symbol.ts";
import type { FollowedNode } from "../../../server/replica/followed-node.ts";
import { configure } from "../../../server/sessions/clear-and-configure.ts";
import { learn } from "../../../server/sessions/learn.ts";
import { observe } from "../../../server/sessions/observe.ts";
import { observeSequence } from "../../../server/sessions/observe-sequence.ts";
import type { SessionChange } from "../../../server/sessions/session-change.ts";
import { createSessionId } from "../../../server/stores/session-id.ts";
import { SqliteDatabase } from "../../../server/stores/sqlite/database.ts";
import { SqliteSessionStore } from "../../../server/stores/sqlite/sqlite-session-store.ts";
import { openLine, RETENTION } from "../../support/session-line.ts";
import { observation, testCall } from "../../support/sessions.ts";
import { waitFor } from "../../support/wait-for.ts";

let store: SqliteSessionStore;
let sessionId: string;

beforeEach(async () => {
  const database = SqliteDatabase.open(":memory:", { timeoutMs: 5_000 });
  store = new SqliteSessionStore(database, RETENTION);
  sessionId = await createSession();
});

afterEach(async () => {
  await store.close();
});

async function createSession(): Promise<string> {
  const created = { sessionId: createSessionId("node"), nodeId: "node", nowMs: Date.now() };
  const rest = { ttlSeconds: 60, metadata: {}, config: {}, mark: "0", requestId: undefined };
  await store.create({ ...created, ...rest });
  return created.sessionId;
}

/** A node that knows `a b c d` and one vector; counts who asks it, and can be meddled with before it answers. */
class WatchedNode {
  follows = 0;
  releases = 0;
  /** What short-term memory was each time predictions were asked for. */
  readonly asked: string[][][] = [];
  /** Awaited before each answer, and may throw. */
  beforeFollow: () => unknown = () => undefined;
  beforePredict: () => unknown = () => undefined;
  beforeNearest: () => unknown = () => undefined;
  readonly #memory = new NodeMemory();

  constructor() {
    const events = [["a"], ["b"], ["c"], ["d"]];
    const vectors = [{ name: "VCTR|known", vector: [0, 0] }];
    const rest = { emotives: [], metadata: [], persistence: 5, vectors };
    this.#memory.apply(learnPattern({ events, ...rest }).learned!);
  }

  async follow(): Promise<FollowedNode> {
    this.follows += 1;
    await this.beforeFollow();
    return {
      predict: async (stm, settings): Promise<PredictionList> => {
        this.asked.push(structuredClone(stm) as string[][]);
        await this.beforePredict();
        return predictNaively(this.#memory, stm, settings);
      },
      predictText: () => Promise.reject(new Error("asked for text")),
      nextText: () => Promise.reject(new Error("asked for what comes next")),
      nearest: async (vectors, count) => {
        await this.beforeNearest();
        const { vectors: index } = this.#memory;
        const neighbours = vectors.map((vector) => index.neighbours(vector, count));
        return { dimension: index.dimension, neighbours };
      },
      [Symbol.dispose]: () => {
        this.releases += 1;
      },
    };
  }
}

/** A node of which nothing is known yet. */
const EMPTY_NODE = {
  follow: (): Promise<FollowedNode> =>
    Promise.resolve({
      predict: () => Promise.reject(new Error("asked for predictions")),
      predictText: () => Promise.reject(new Error("asked for text")),
      nextText: () => Promise.reject(new Error("asked for what comes next")),
      nearest: (vectors) =>
        Promise.resolve({ dimension: undefined, neighbours: vectors.map(() => []) }),
      [Symbol.dispose]: () => undefined,
    }),
};

function see(symbol: string, rule: { predicts: boolean } = { predicts: false }) {
  const seen = observation({ strings: [symbol], observationId: symbol });
  return observe(seen, { ...RETENTION, expectedTime: undefined, ...rule });
}

function seeVector(vector: number[], strings: string[] = []) {
  const seen = observation({ strings, vectors: [vector], vectorSum: vector });
  return observe(seen, { ...RETENTION, expectedTime: undefined, predicts: false });
}

const PREDICTING = { predicts: true };

/** A worker's line on the session, and the node it asks. */
function openWorker() {
  const node = new WatchedNode();
  const { queue, committer, commits } = openLine(store, node);
  const change = <Reply>(what: SessionChange<Reply>) => queue.change(sessionId, what, testCall());
  return { node, committer, commits, change };
}

async function readStm(): Promise<string[][]> {
  const at = { nowMs: Date.now(), slides: false };
  return (await store.load(sessionId, { at, parts: ["stm"] })).stm;
}

function matchesOf({ predictions = [] }: ObserveReply): string[][] {
  return predictions.map(({ matches }) => matches);
}

describe("a learn whose vectors the node does not take", () => {
  it("fails alone among the changes that were committed with it", async () => {
    const { queue, commits } = openLine(store, EMPTY_NODE);
    const change = <Reply>(what: SessionChange<Reply>, id = sessionId) =>
      queue.change(id, what, testCall());
    const other = await createSession();
    await change(seeVector([1, 2, 3]));
    await change(seeVector([1, 2]), other);
    await change(learn("theirs"), other);
    commits.length = 0;

    const results = await Promise.allSettled([
      change(see("before")),
      change(learn("ours")),
      change(see("after")),
    ]);

    expect(results).toMatchObject([
      { status: "fulfilled", value: { time: 2, stmLength: 2, replayed: false } },
      { status: "rejected", reason: { code: "VECTOR_DIMENSION_MISMATCH" } },
      { status: "fulfilled", value: { time: 3, stmLength: 3, replayed: false } },
    ]);
    expect(await readStm()).toEqual([[vectorName([1, 2, 3])], ["before"], ["after"]]);
    // All at once, which the store refused, and then one by one.
    expect(commits.map(({ learns, outcomes }) => [outcomes.length, learns.length])).toEqual([
      [3, 1],
      [1, 0],
      [1, 1],
      [1, 0],
    ]);
  });
});

describe("an observation that asks its node while another worker changes the session", () => {
  it("predicts anew from what it was committed on, once", async () => {
    const [mine, others] = [openWorker(), openWorker()];
    await mine.change(see("a"));
    mine.node.beforePredict = () => mine.node.asked.length === 1 && others.change(see("b"));
    mine.commits.length = 0;

    const reply = await mine.change(see("c", PREDICTING));

    expect(mine.node.asked).toEqual([
      [["a"], ["c"]],
      [["a"], ["b"], ["c"]],
    ]);
    expect(reply).toMatchObject({ time: 3, stmLength: 3, replayed: false });
    expect(matchesOf(reply)).toEqual([["a", "b", "c"]]);
    expect(await readStm()).toEqual([["a"], ["b"], ["c"]]);
    expect(mine.commits.map(({ baseVersion }) => baseVersion)).toEqual([1, 2]);
    expect(mine.committer.conflicts).toBe(1);
    expect(mine.node.follows).toBe(1);
  });

  it("predicts anew when what it remembered of the session is old", async () => {
    const [mine, others] = [openWorker(), openWorker()];
    await mine.change(see("a", PREDICTING));
    await others.change(see("b"));

    const reply = await mine.change(see("c", PREDICTING));

    expect(mine.node.asked.slice(1)).toEqual([
      [["a"], ["c"]],
      [["a"], ["b"], ["c"]],
    ]);
    expect(matchesOf(reply)).toEqual([["a", "b", "c"]]);
    expect(await readStm()).toEqual([["a"], ["b"], ["c"]]);
  });

  it("keeps the neighbours of its vectors beside what the other worker observed", async () => {
    const [mine, others] = [openWorker(), openWorker()];
    await mine.change(see("a"));
    mine.node.beforeNearest = () => others.change(see("b"));

    const reply = await mine.change(seeVector([0, 1], ["c"]));

    const names = [vectorName([0, 1]), "VCTR|known"].toSorted();
    expect(reply).toMatchObject({ time: 3, stmLength: 3, replayed: false });
    expect(await readStm()).toEqual([["a"], ["b"], [...names, "c"]]);
    expect(mine.committer.conflicts).toBe(1);
  });

  it("does not see vectors that its first attempt would have learned", async () => {
    const [mine, others] = [openWorker(), openWorker()];
    const observations = [
      [7, 0],
      [8, 0],
    ].map((vector) => observation({ vectors: [vector], vectorSum: vector, isRemembered: false }));
    const flags = { clearStmBetween: false, learnAfterEach: true, learnAtEnd: false };
    await mine.change(see("a"));
    await mine.change(learn("before"));
    await others.change(configure({ maxPredictions: 9 }, "configured"));
    mine.commits.length = 0;

    await mine.change(
      observeSequence({ observations, requestId: "sequence", ...flags }, RETENTION),
    );

    const [first, second] = mine.commits.map(({ learns }) => learns);
    expect(mine.committer.conflicts).toBe(1);
    expect(first).toHaveLength(2);
    expect(second).toEqual(first);
  });
});

describe("the node that an observation asks", () => {
  it("is let go of when all goes well", async () => {
    const { node, change } = openWorker();

    await Promise.all([
      change(see("a", PREDICTING)),
      change(see("b", PREDICTING)),
      change(seeVector([1, 1])),
    ]);

    await waitFor(() => node.releases === 3, { what: "the node to be let go of" });
    expect(node.follows).toBe(3);
  });

  it("is let go of when the session does not exist, even if the node is ready only later", async () => {
    sessionId = createSessionId("node");
    const { node, change } = openWorker();
    const loading = Promise.withResolvers<void>();
    node.beforeFollow = () => loading.promise;

    const refused = change(see("a", PREDICTING));

    await expect(refused).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    expect([node.follows, node.releases]).toEqual([1, 0]);
    loading.resolve();
    await waitFor(() => node.releases === 1, { what: "the node to be let go of" });
  });

  it("is let go of when it cannot answer", async () => {
    const { node, change } = openWorker();
    node.beforePredict = () => {
      throw new Error("no predictions");
    };

    const refused = change(see("a", PREDICTING));

    await expect(refused).rejects.toThrow("no predictions");
    await waitFor(() => node.releases === 1, { what: "the node to be let go of" });
    expect(node.follows).toBe(1);
  });
});

describe("an observation whose predictions fail", () => {
  it("has changed nothing, and may be repeated", async () => {
    const { node, commits, change } = openWorker();
    node.beforePredict = () => {
      if (node.asked.length === 1) throw new ServiceError("OVERLOADED", "too slow");
    };

    const refused = change(see("a", PREDICTING));
    await expect(refused).rejects.toMatchObject({ code: "OVERLOADED" });
    const between = [await readStm(), commits.length];
    const again = await change(see("a", PREDICTING));

    expect(between).toEqual([[], 0]);
    expect(again).toMatchObject({ time: 1, stmLength: 1, replayed: false });
    expect(await readStm()).toEqual([["a"]]);
  });

  it("leaves its turn to the call that waits behind it when a repeat would not help", async () => {
    const { node, commits, change } = openWorker();
    node.beforePredict = () => {
      throw new Error("no predictions");
    };

    const results = await Promise.allSettled([change(see("a", PREDICTING)), change(see("b"))]);

    expect(results).toMatchObject([
      { status: "rejected", reason: { message: "no predictions" } },
      { status: "fulfilled", value: { time: 1, stmLength: 1 } },
    ]);
    expect(await readStm()).toEqual([["b"]]);
    expect(commits).toHaveLength(1);
  });
});

describe("commits of a session, one after another", () => {
  it("are each computed from what the one before has left, and find nobody in between", async () => {
    const { committer, commits, change } = openWorker();
    await change(see("a"));
    commits.length = 0;

    const replies = [await change(see("b")), await change(see("c"))];
    await change(configure({ maxPatternLength: 4 }, undefined));
    replies.push(await change(see("d")));

    expect(committer.conflicts).toBe(0);
    expect(replies).toMatchObject([
      { time: 2, stmLength: 2, learned: null },
      { time: 3, stmLength: 3, learned: null },
      { time: 4, stmLength: 0, learned: expect.stringContaining("PTRN|") },
    ]);
    expect(commits.map(({ baseVersion }) => baseVersion)).toEqual([1, 2, 3, 4]);
    const marks = commits.map(({ mark }) => mark);
    expect(commits.slice(1).map(({ baseMark }) => baseMark)).toEqual(marks.slice(0, -1));
  });

  it("lose nothing where they are made past the line while one waits for its predictions", async () => {
    const { committer, node, change } = openWorker();
    // Short-term memory is known from then on, and as large after one that holds nothing: that is written in place.
    await change(see("a", PREDICTING));
    const nothing = observe(observation({ strings: [] }), {
      ...RETENTION,
      expectedTime: undefined,
      predicts: false,
    });
    node.beforePredict = () =>
      node.asked.length === 2 && committer.commit(sessionId, [past(nothing)]);

    const reply = await change(see("c", PREDICTING));

    expect(committer.conflicts).toBe(1);
    expect(reply).toMatchObject({ time: 3, stmLength: 2 });
    expect(await readStm()).toEqual([["a"], ["c"]]);
  });
});

function past(change: SessionChange<ObserveReply>) {
  const rest = { call: testCall(), resolve: () => undefined, reject: () => undefined };
  return { change: change as SessionChange<unknown>, ...rest };
}
