import { DatabaseSync, backup } from "node:sqlite";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dataOf } from "../support/http-calls.ts";
import { startRedis } from "../support/redis-server.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { startTestApp } from "../support/test-app.ts";
import { waitFor } from "../support/wait-for.ts";

/*
 * A store may come back with an older state: Redis with its last snapshot, a replica that had not received the newest
 * changes, a SQLite file from a backup. What was acknowledged since then is lost, which a durability of `fast` allows;
 * but the versions lost are given again, to other changes. A worker that took them for those it had seen went on from
 * what was lost: times jumped, and it learned events that no short-term memory held.
 */

/** Keeps a store's state, and brings it back while workers are connected. */
interface PutBack extends AsyncDisposable {
  readonly url: string;
  keep(): Promise<void>;
  putBack(): Promise<void>;
}

async function redisToPutBack(): Promise<PutBack> {
  const redis = await startRedis();
  const client = redis.client();
  return {
    url: redis.url,
    keep: async () => void (await client.save()),
    async putBack() {
      await redis.kill();
      await redis.restart();
    },
    [Symbol.asyncDispose]: () => redis.close(),
  };
}

async function sqliteToPutBack(): Promise<PutBack> {
  const directory = await makeTemporaryDirectory();
  const [live, kept] = [join(directory.path, "kato.db"), join(directory.path, "kept.db")];
  return {
    url: `sqlite:${live}`,
    keep: () => copy(live, kept),
    putBack: () => copy(kept, live),
    [Symbol.asyncDispose]: () => directory.remove(),
  };
}

/** By SQLite's own means, which take turns with others that have the files open. */
async function copy(from: string, to: string): Promise<void> {
  const source = new DatabaseSync(from);
  try {
    await backup(source, to);
  } finally {
    source.close();
  }
}

type Observed = { time: number; stmLength: number; learned: string | null };

const STORES = [
  ["Redis", redisToPutBack],
  ["SQLite", sqliteToPutBack],
] as const;

/** Two workers on one store, and a session that the first has created. */
async function startWorkers(store: PutBack, maxPatternLength: number) {
  const settings = { KATO_STORE: store.url };
  const first = await startTestApp({ settings });
  const second = await startTestApp({ settings });
  const input = { nodeId: "node", config: { maxPatternLength } };
  const created = await dataOf<{ sessionId: string }>(first.url, "session.create", { input });
  const { sessionId } = created;
  const observe = ({ url }: typeof first, symbol: string) =>
    waitFor(
      () => {
        const observed = { sessionId, strings: [symbol], observationId: symbol };
        return dataOf<Observed>(url, "session.observe", { input: observed });
      },
      { what: "a worker to observe by the store that came back" },
    );
  return {
    first,
    second,
    sessionId,
    observe,
    async [Symbol.asyncDispose]() {
      await first[Symbol.asyncDispose]();
      await second[Symbol.asyncDispose]();
    },
  };
}

test.for(STORES)(
  "times go on without a gap when %s has lost the changes of one worker and another goes on first",
  async ([, openStore]) => {
    await using store = await openStore();
    await using workers = await startWorkers(store, 50);
    const { first, second, sessionId, observe } = workers;
    await observe(first, "kept");
    await store.keep();
    // One commit, by which the time goes on to 6.
    const observations = ["l1", "l2", "l3", "l4", "l5"].map((symbol) => ({ strings: [symbol] }));
    const input = { sessionId, observations };
    await dataOf(first.url, "session.observeSequence", { input });
    await store.putBack();

    const other = await observe(second, "other");
    const next = await observe(first, "next");

    expect(other).toMatchObject({ time: 2, stmLength: 2 });
    expect(next).toMatchObject({ time: 3, stmLength: 3 });
    const read = await dataOf(second.url, "session.stm", { input: { sessionId } });
    expect(read).toMatchObject({ stm: [["kept"], ["other"], ["next"]], length: 3, time: 3 });
  },
);

test.for(STORES)(
  "what %s has lost is not learned by the worker that has seen it",
  async ([, openStore]) => {
    await using store = await openStore();
    await using workers = await startWorkers(store, 3);
    const { first, second, observe } = workers;
    await store.keep();
    await observe(first, "lost-1");
    await observe(first, "lost-2");
    await store.putBack();
    await observe(second, "other-1");
    await observe(second, "other-2");

    const { learned: name } = await observe(first, "last");

    const input = { nodeId: "node", name };
    const pattern = await dataOf<{ events: string[][] }>(second.url, "node.pattern", { input });
    expect(pattern.events).toEqual([["other-1"], ["other-2"], ["last"]]);
  },
);
