import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { expect, test } from "vitest";
import type { OpenStore } from "../../server/stores/open-store.ts";
import { retentionOf } from "../../server/stores/open-store.ts";
import { startRedis } from "../support/redis-server.ts";
import { AB, BC, learnAll, learnOf, TAG } from "./node-builders.ts";
import { commitOf, createSession, newSession, NOW, using } from "./session-builders.ts";
import { findKeys, openStoreAt, UNAVAILABLE } from "./store-place.ts";

const SCRIPTS = join(import.meta.dirname, "../../server/stores/redis/scripts");

/** So few that the next one makes a session, and a node, forget. */
const REMEMBERED = 1;

type Call = (store: OpenStore, place: { sessionId: string; turn: number }) => Promise<unknown>;

const CALLS: Record<string, Call> = {
  create: ({ sessions }, { turn }) => sessions.create(newSession({ requestId: `c${turn}` })),
  load: ({ sessions }, { sessionId, turn }) =>
    sessions.load(sessionId, { at: using(NOW + turn), ids: ["0"], parts: ["stm", "percept"] }),
  commit: ({ sessions }, { sessionId, turn }) => sessions.commit(fullCommit(sessionId, turn)),
  learn: ({ sessions }, { sessionId, turn }) =>
    sessions.commit({
      ...fullCommit(sessionId, turn),
      learns: [
        learnOf(AB, { emotives: [{ joy: 1 }], vectors: [{ name: `${turn}`, vector: [1, 2] }] }),
      ],
    }),
  extend: ({ sessions }, { sessionId, turn }) =>
    sessions.extend(sessionId, {
      nowMs: NOW,
      ttlSeconds: 100_000 + turn,
      request: { id: `e${turn}`, digest: "" },
    }),
  correct: ({ nodes }, { turn }) =>
    nodes.change(
      TAG,
      { kind: "correct", hash: learnOf(AB).hash, frequency: 1 + turn, emotives: [] },
      { id: `k${turn}`, digest: "", nowMs: NOW },
    ),
  finalize: ({ nodes }, { turn }) =>
    nodes.change(TAG, { kind: "finalize" }, { id: `f${turn}`, digest: "", nowMs: NOW }),
  forget: ({ nodes }, { turn }) =>
    nodes.change(
      TAG,
      { kind: "forget", hash: learnOf(BC).hash },
      { id: `g${turn}`, digest: "", nowMs: NOW },
    ),
  clear: ({ nodes }, { turn }) =>
    nodes.change(TAG, { kind: "clear" }, { id: `l${turn}`, digest: "", nowMs: undefined }),
  delete: ({ sessions }, { sessionId, turn }) => sessions.delete(sessionId, NOW, `d${turn}`),
};

/** Has something to do for every step of a commit's script. */
function fullCommit(sessionId: string, turn: number) {
  return commitOf(sessionId, {
    at: using(NOW + turn),
    delta: { clearsVectors: true, events: [["a"], ["b"]], emotives: [{ joy: 1 }] },
    ids: [`o${turn}`],
    outcomes: ["o", "p"].map((letter) => ({ id: `${letter}${turn}`, reply: null })),
  });
}

test("whatever command its user loses, Redis makes a call whole or not at all", async () => {
  await using redis = await startRedis();
  await using store = await openStoreAt(redis.url, {
    retention: retentionOf(1, { ids: REMEMBERED, seconds: 3_600 }),
  });
  const admin = redis.client();
  const refusals = new Map<string, string[]>();
  const halves: string[] = [];

  for (const [turn, command] of (await scriptCommands()).entries()) {
    const refused: string[] = [];
    for (const [name, call] of Object.entries(CALLS)) {
      await learnAll(store, [learnOf(AB), learnOf(BC)]);
      const place = { sessionId: await createSession(store.sessions, { ttlSeconds: 60 }), turn };
      const before = await contents(admin);
      await admin.acl("SETUSER", "default", `-${command}`);
      const error = await call(store, place).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      await admin.acl("SETUSER", "default", `+${command}`);
      if (error === undefined) continue;
      refused.push(name);
      expect(error).toMatchObject({
        ...UNAVAILABLE,
        message: expect.stringMatching(new RegExp(`does not permit .*: ${command};`)),
      });
      const after = await contents(admin);
      // The list of nodes is entered on the way, and again by each repeat.
      if (JSON.stringify(after) !== JSON.stringify(before)) halves.push(`${name} -${command}`);
    }
    refusals.set(command, refused);
  }

  expect(halves).toEqual([]);
  expect(refusals.get("LPOP")).toEqual([
    "commit",
    "learn",
    "extend",
    "correct",
    "finalize",
    "forget",
    "clear",
  ]);
  expect(refusals.get("TIME")).toEqual(Object.keys(CALLS));
});

/** Every command in the text of a script. */
async function scriptCommands(): Promise<string[]> {
  const files = await readdir(SCRIPTS);
  const texts = await Promise.all(files.map((file) => readFile(join(SCRIPTS, file), "utf8")));
  const names = texts.flatMap((text) => text.match(/(?<=call\(')[A-Z]+/g) ?? []);
  return [...new Set(names)].sort();
}

/** All that the server holds, key by key, and whether it expires. */
async function contents(admin: Redis): Promise<unknown[]> {
  const keys = (await findKeys(admin)).filter((key) => key.startsWith("kato:{")).sort();
  return Promise.all(
    keys.map(async (key) => [key, (await admin.dumpBuffer(key))?.toString("base64")]),
  );
}
