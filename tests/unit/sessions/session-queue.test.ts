import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { clearStm } from "../../../server/sessions/clear-and-configure.ts";
import { learn } from "../../../server/sessions/learn.ts";
import { observe } from "../../../server/sessions/observe.ts";
import { observeSequence } from "../../../server/sessions/observe-sequence.ts";
import { createSessionId } from "../../../server/stores/session-id.ts";
import type { SessionCommit, SessionStore } from "../../../server/stores/session-store.ts";
import { SqliteDatabase } from "../../../server/stores/sqlite/database.ts";
import { SqliteSessionStore } from "../../../server/stores/sqlite/sqlite-session-store.ts";
import { openLine as openLineOn, RETENTION } from "../../support/session-line.ts";
import { observation, testCall } from "../../support/sessions.ts";

/** No change here asks its node. */
const NO_NODES = { follow: () => Promise.reject(new Error("asked its node")) };

let store: SqliteSessionStore;
let sessionId: string;

beforeEach(async () => {
  const database = SqliteDatabase.open(":memory:", { timeoutMs: 5_000 });
  store = new SqliteSessionStore(database, RETENTION);
  sessionId = createSessionId("node");
  const created = { sessionId, nodeId: "node", nowMs: Date.now(), ttlSeconds: 60 };
  await store.create({ ...created, metadata: {}, config: {}, mark: "0", requestId: undefined });
});

afterEach(async () => {
  await store.close();
});

/** A line on `over`, as one worker has it. */
function openLine(over: SessionStore = store) {
  return openLineOn(over, NO_NODES);
}

function see(symbol: string, expectedTime?: number) {
  const rule = { ...RETENTION, expectedTime, predicts: false };
  return observe(observation({ strings: [symbol], observationId: symbol }), rule);
}

async function readStm(): Promise<string[][]> {
  const at = { nowMs: Date.now(), slides: false };
  return (await store.load(sessionId, { at, parts: ["stm"] })).stm;
}

describe("a session's queue", () => {
  it("applies changes in the order of arrival and folds those that wait into few commits", async () => {
    const { queue, commits } = openLine();
    const symbols = Array.from({ length: 100 }, (_, i) => `s${i}`);

    const replies = await Promise.all(
      symbols.map((symbol) => queue.change(sessionId, see(symbol), testCall())),
    );

    expect(replies.map((reply) => reply.time)).toEqual(symbols.map((_, i) => i + 1));
    expect(await readStm()).toEqual(symbols.map((symbol) => [symbol]));
    expect(commits.length).toBeLessThanOrEqual(2);
  });

  it("keeps a read between the changes among which it came", async () => {
    const { queue } = openLine();

    const first = queue.change(sessionId, see("a"), testCall());
    const read = queue.task(sessionId, readStm, testCall());
    const second = queue.change(sessionId, see("b"), testCall());

    await Promise.all([first, second]);
    expect(await read).toEqual([["a"]]);
    expect(await readStm()).toEqual([["a"], ["b"]]);
  });

  it("refuses one change without hindering those around it", async () => {
    const { queue } = openLine();

    const results = await Promise.allSettled([
      queue.change(sessionId, see("a"), testCall()),
      queue.change(sessionId, see("b", 7), testCall()),
      queue.change(sessionId, see("c"), testCall()),
    ]);

    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect((results[1] as PromiseRejectedResult).reason).toMatchObject({ code: "TIME_CONFLICT" });
    expect(await readStm()).toEqual([["a"], ["c"]]);
  });

  it("takes a change with the same id twice in one commit only once", async () => {
    const { queue } = openLine();

    const [first, second] = await Promise.all([
      queue.change(sessionId, see("a"), testCall()),
      queue.change(sessionId, see("a"), testCall()),
    ]);

    expect([first.replayed, second.replayed]).toEqual([false, true]);
    expect(second.time).toBe(1);
    expect(await readStm()).toEqual([["a"]]);
  });

  it("learns what stood before in the same commit, and tells each learn its own frequency", async () => {
    const { queue, commits } = openLine();
    await queue.change(sessionId, see("known"), testCall());
    commits.length = 0;

    const [, first, , , second, repeat] = await Promise.all([
      queue.change(sessionId, see("b"), testCall()),
      queue.change(sessionId, learn("l1"), testCall()),
      queue.change(sessionId, see("c"), testCall()),
      queue.change(sessionId, see("d"), testCall()),
      queue.change(sessionId, learn("l2"), testCall()),
      queue.change(sessionId, learn("l2"), testCall()),
    ]);

    expect(first).toMatchObject({ frequency: 1, replayed: false });
    expect(second).toMatchObject({ frequency: 1, replayed: false });
    expect(repeat).toEqual({ ...second, replayed: true });
    expect(commits.flatMap(({ learns }) => learns)).toMatchObject([
      { events: [["known"], ["b"]] },
      { events: [["c"], ["d"]] },
    ]);
    expect(await readStm()).toEqual([]);
  });

  it("learns what another worker has observed since", async () => {
    const mine = openLine();
    const others = openLine();
    await mine.queue.change(sessionId, see("a"), testCall());
    await mine.queue.change(sessionId, learn("l1"), testCall()).catch(() => undefined);
    await mine.queue.change(sessionId, see("b"), testCall());
    await others.queue.change(sessionId, see("c"), testCall());

    await mine.queue.change(sessionId, learn("l2"), testCall());

    expect(mine.commits.at(-1)?.learns).toMatchObject([{ events: [["b"], ["c"]] }]);
  });

  it("computes again on the newer state when another worker was faster", async () => {
    const mine = openLine();
    const others = openLine();
    await mine.queue.change(sessionId, see("a"), testCall());
    await others.queue.change(sessionId, see("b"), testCall());

    const reply = await mine.queue.change(sessionId, see("c"), testCall());

    expect(reply.time).toBe(3);
    expect(await readStm()).toEqual([["a"], ["b"], ["c"]]);
  });

  it("does not refuse on a state that another worker has changed since", async () => {
    const mine = openLine();
    const others = openLine();
    await mine.queue.change(sessionId, see("a"), testCall());
    await others.queue.change(sessionId, see("b"), testCall());

    const reply = await mine.queue.change(sessionId, see("c", 2), testCall());

    expect(reply.time).toBe(3);
  });

  it("knows an id that another worker has taken", async () => {
    const mine = openLine();
    const others = openLine();
    await mine.queue.change(sessionId, see("a"), testCall());
    await others.queue.change(sessionId, see("b"), testCall());

    const reply = await mine.queue.change(sessionId, see("b"), testCall());

    expect(reply).toMatchObject({ time: 2, replayed: true });
    expect(await readStm()).toEqual([["a"], ["b"]]);
  });

  it("commits what stands beside a repeat of an earlier call", async () => {
    const { queue, commits } = openLine();
    await queue.change(sessionId, see("a"), testCall());
    await queue.change(sessionId, see("b"), testCall());
    commits.length = 0;

    const [repeat, , next] = await Promise.all([
      queue.change(sessionId, see("a"), testCall()),
      queue.change(sessionId, clearStm("clear"), testCall()),
      queue.change(sessionId, see("c"), testCall()),
    ]);

    expect(repeat).toMatchObject({ time: 1, replayed: true });
    expect(next).toMatchObject({ time: 1, replayed: false });
    expect(await readStm()).toEqual([["c"]]);
    expect(commits.length).toBeLessThanOrEqual(2);
  });

  it("clears and goes on counting from 1 within one commit", async () => {
    const { queue } = openLine();

    const replies = await Promise.all([
      queue.change(sessionId, see("a"), testCall()),
      queue.change(sessionId, clearStm("clear"), testCall()),
      queue.change(sessionId, see("b"), testCall()),
    ]);

    expect(replies[2].time).toBe(1);
    expect(await readStm()).toEqual([["b"]]);
  });

  it("does not run a call whose deadline has passed", async () => {
    const { queue } = openLine();

    const late = queue.change(sessionId, see("a"), testCall({ deadlineAt: Date.now() - 1 }));

    await expect(late).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await readStm()).toEqual([]);
  });

  it("lets no call overtake one that came too late for its turn", async () => {
    const { queue } = openLine();
    const late = { deadlineAt: Date.now() - 1 };

    const results = await Promise.allSettled([
      queue.change(sessionId, see("a"), testCall()),
      queue.change(sessionId, see("b"), testCall(late)),
      queue.change(sessionId, see("c"), testCall()),
      queue.task(sessionId, readStm, testCall()),
      queue.change(sessionId, see("d"), testCall()),
    ]);

    expect(results[0]).toMatchObject({ status: "fulfilled" });
    for (const result of results.slice(1)) {
      expect(result).toMatchObject({ reason: { code: "STORE_UNAVAILABLE" } });
    }
    expect(await readStm()).toEqual([["a"]]);
    await queue.change(sessionId, see("e"), testCall());
    expect(await readStm()).toEqual([["a"], ["e"]]);
  });

  it("folds no more than one commit can carry", async () => {
    const { queue, commits } = openLine();
    const sequence = (name: string) => {
      const ids = Array.from({ length: 4_000 }, (_, i) => `${name}${i}`);
      const observations = ids.map((observationId) =>
        observation({ strings: ["x"], observationId }),
      );
      const flags = { clearStmBetween: false, learnAfterEach: false, learnAtEnd: false };
      const rest = { requestId: name, ...flags };
      return observeSequence({ observations, ...rest }, RETENTION);
    };

    const replies = await Promise.all(
      ["a", "b", "c", "d"].map((name) => queue.change(sessionId, sequence(name), testCall())),
    );

    expect(replies.map((reply) => reply.time)).toEqual([4_000, 8_000, 12_000, 16_000]);
    expect(Math.max(...commits.map((commit) => commit.ids.length))).toBeLessThan(10_000);
  });

  it("lets no call overtake one that the store has failed", async () => {
    let failures = 1;
    const failing: SessionStore = Object.assign(Object.create(store) as SessionStore, {
      load: store.load.bind(store),
      async commit(commit: SessionCommit) {
        failures -= 1;
        if (failures >= 0) throw new ServiceError("STORE_UNAVAILABLE", "gone for a moment");
        return store.commit(commit);
      },
    });
    const { queue } = openLine(failing);

    // The read between them keeps the two changes in commits of their own.
    const results = await Promise.allSettled([
      queue.change(sessionId, see("a"), testCall()),
      queue.task(sessionId, readStm, testCall()),
      queue.change(sessionId, see("b"), testCall()),
    ]);

    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(await readStm()).toEqual([]);
  });

  it("tells every waiting caller of a failing store and works again afterwards", async () => {
    let broken = true;
    const failing: SessionStore = Object.assign(Object.create(store) as SessionStore, {
      load: store.load.bind(store),
      async commit(commit: SessionCommit) {
        if (broken) throw new ServiceError("STORE_UNAVAILABLE", "gone");
        return store.commit(commit);
      },
    });
    const { queue } = openLine(failing);

    const results = await Promise.allSettled([
      queue.change(sessionId, see("a"), testCall()),
      queue.change(sessionId, see("b"), testCall()),
    ]);
    broken = false;
    const again = await queue.change(sessionId, see("a"), testCall());

    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(again).toMatchObject({ time: 1, replayed: false });
  });
});
