import { describe, expect, test } from "vitest";
import type { SessionStore } from "../../server/stores/session-store.ts";
import { commitOf, createSession, numberedEvents, readAll } from "./session-builders.ts";
import type { OpenPlace } from "./store-place.ts";

const VECTOR = { name: "VCTR|1", vector: [0.5, -2.5e-7] };
const PERCEPT = { strings: ["a", "b"], vectors: [[1, -2.5e-7]], metadata: { source: "eye" } };

/** Brings a session to version 1 with something of everything in it. */
async function fillSession(sessions: SessionStore): Promise<string> {
  const sessionId = await createSession(sessions, { metadata: { kept: true } });
  await sessions.commit(
    commitOf(sessionId, {
      time: 2,
      delta: {
        events: [["a"], ["b", "c"]],
        emotives: [{ joy: 0.5 }, { fear: -1e300 }],
        metadata: [{ source: "eye" }],
        vectors: [VECTOR],
        percept: PERCEPT,
        config: { maxPatternLength: 4 },
      },
      ids: ["first"],
      outcomes: [{ id: "first", reply: [1, 2, null] }],
    }),
  );
  return sessionId;
}

export function describeCommits(openPlace: OpenPlace): void {
  describe("a commit", () => {
    test("applies the whole of its delta", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();

      const sessionId = await fillSession(sessions);

      expect(await readAll(sessions, sessionId, { ids: ["first", "unknown"] })).toMatchObject({
        state: { version: 1, time: 2, stmLength: 2, config: { maxPatternLength: 4 } },
        stm: [["a"], ["b", "c"]],
        emotives: [{ joy: 0.5 }, { fear: -1e300 }],
        metadata: [{ source: "eye" }],
        vectors: [VECTOR],
        percept: PERCEPT,
        seen: new Map([["first", [1, 2, null]]]),
      });
    });

    test("appends to what is there and leaves alone what it does not name", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await fillSession(sessions);

      const result = await sessions.commit(
        commitOf(sessionId, {
          baseVersion: 1,
          time: 3,
          delta: { events: [["d"]], emotives: [{ joy: 1 }] },
        }),
      );

      expect(result.status).toBe("committed");
      expect(await readAll(sessions, sessionId, { ids: ["first"] })).toMatchObject({
        state: { version: 2, time: 3, stmLength: 3, metadata: { kept: true } },
        stm: [["a"], ["b", "c"], ["d"]],
        emotives: [{ joy: 0.5 }, { fear: -1e300 }, { joy: 1 }],
        metadata: [{ source: "eye" }],
        vectors: [VECTOR],
        percept: PERCEPT,
        seen: new Map([["first", [1, 2, null]]]),
      });
      expect((await readAll(sessions, sessionId)).state.config).toEqual({ maxPatternLength: 4 });
    });

    test("clears short-term memory alone, and forgets percept and configuration when told", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await fillSession(sessions);

      await sessions.commit(
        commitOf(sessionId, {
          baseVersion: 1,
          time: 0,
          delta: { clearsStm: true, percept: null, config: {} },
        }),
      );

      const after = await readAll(sessions, sessionId);
      expect(after).toMatchObject({ state: { time: 0, stmLength: 0 }, stm: [], percept: null });
      expect(after.emotives).toHaveLength(2);
      expect(after.metadata).toHaveLength(1);
      expect(after.vectors).toHaveLength(1);
      expect(after.state.config).toEqual({});
    });

    test("clears before it appends", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await fillSession(sessions);

      await sessions.commit(
        commitOf(sessionId, {
          baseVersion: 1,
          delta: {
            clearsStm: true,
            clearsAccumulators: true,
            events: [["new"]],
            emotives: [{ calm: 1 }],
            metadata: [{ source: "ear" }],
          },
        }),
      );

      expect(await readAll(sessions, sessionId)).toMatchObject({
        state: { time: 1, stmLength: 1 },
        stm: [["new"]],
        emotives: [{ calm: 1 }],
        metadata: [{ source: "ear" }],
        vectors: [VECTOR],
      });
    });

    test("marks a session that had no mark, as one from before there were marks", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await fillSession(sessions);

      expect((await readAll(sessions, sessionId)).state).toMatchObject({ version: 1, mark: "" });
      const marked = await sessions.commit(commitOf(sessionId, { baseVersion: 1, mark: "new" }));

      expect(marked.status).toBe("committed");
      expect((await readAll(sessions, sessionId)).state).toMatchObject({ version: 2, mark: "new" });
    });

    test("goes on counting after a clear", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open({
        retention: { events: 3, accumulated: 3, outcomes: 3, outcomesMs: 3_600_000 },
      });
      const sessionId = await createSession(sessions);
      const append = (baseVersion: number, delta: object) =>
        sessions.commit(commitOf(sessionId, { baseVersion, delta }));

      await append(0, { events: numberedEvents(3) });
      await append(1, { clearsStm: true });
      await append(2, { events: numberedEvents(2, 10) });
      await append(3, { events: numberedEvents(2, 20) });

      const after = await readAll(sessions, sessionId);
      expect(after.stm).toEqual([["event 11"], ["event 20"], ["event 21"]]);
      expect(after.state.stmLength).toBe(3);
    });
  });

  describe("a stale commit", () => {
    const everything = {
      time: 9,
      delta: {
        clearsStm: true,
        clearsAccumulators: true,
        events: [["lost"]],
        emotives: [{ lost: 1 }],
        metadata: [{ lost: true }],
        clearsVectors: true,
        vectors: [{ name: "lost", vector: [] }],
        percept: null,
        config: { maxPatternLength: 99 },
      },
      outcomes: [{ id: "lost", reply: "lost" }],
    };

    test.each([
      ["an older version", { baseVersion: 0 }],
      ["a version that is yet to come", { baseVersion: 2 }],
      ["another version of the same number", { baseVersion: 1, baseMark: "lost" }],
    ])("from %s writes nothing and is told the current state", async (_what, base) => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await fillSession(sessions);
      const ids = ["first", "lost"];
      const before = await readAll(sessions, sessionId, { ids });

      const result = await sessions.commit(
        commitOf(sessionId, { ...everything, ...base, ids: ["lost"] }),
      );

      const { state, expiresAt } = before;
      expect(result).toEqual({ status: "stale", state, expiresAt, seen: new Map() });
      expect(await readAll(sessions, sessionId, { ids })).toEqual(before);
    });

    test("from a version that a commit of the same number has taken the place of writes nothing", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions, { mark: "made" });
      const append = (symbol: string, fields: { baseMark: string; baseVersion?: number }) =>
        sessions.commit(
          commitOf(sessionId, { ...fields, mark: `of ${symbol}`, delta: { events: [[symbol]] } }),
        );

      expect(await append("a", { baseMark: "made" })).toMatchObject({ status: "committed" });
      for (const baseMark of ["", "made", "of another", "of a "]) {
        const stale = await append("lost", { baseVersion: 1, baseMark });
        const state = { version: 1, mark: "of a" };
        expect(stale).toMatchObject({ status: "stale", state });
      }
      const after = await append("b", { baseVersion: 1, baseMark: "of a" });
      expect(after).toMatchObject({ status: "committed" });
      expect(await readAll(sessions, sessionId)).toMatchObject({
        state: { version: 2, mark: "of b" },
        stm: [["a"], ["b"]],
      });
    });

    test("with an id that was seen writes nothing and is told the first reply", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await fillSession(sessions);
      const ids = ["first", "lost"];
      const before = await readAll(sessions, sessionId, { ids });

      const result = await sessions.commit(
        commitOf(sessionId, { ...everything, baseVersion: 1, ids: ["lost", "first", "other"] }),
      );

      const { state, expiresAt } = before;
      const seen = new Map([["first", [1, 2, null]]]);
      expect(result).toEqual({ status: "stale", state, expiresAt, seen });
      expect(await readAll(sessions, sessionId, { ids })).toEqual(before);
    });

    test("is told every id that was seen, its own version being old as well", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);
      const outcomes = Array.from({ length: 700 }, (_, i) => ({ id: `id${i}`, reply: i }));
      await sessions.commit(commitOf(sessionId, { outcomes }));

      const ids = Array.from({ length: 2_000 }, (_, i) => `id${i * 2}`);
      const result = await sessions.commit(commitOf(sessionId, { ids }));

      const seen = outcomes.filter((_, i) => i % 2 === 0).map(({ id, reply }) => [id, reply]);
      expect(result).toMatchObject({ status: "stale", seen: new Map(seen as [string, number][]) });
    });
  });

  describe("concurrent commits", () => {
    test("on one version: exactly one of fifty wins, through two workers", async () => {
      await using place = await openPlace();
      const stores = [(await place.open()).sessions, (await place.open()).sessions];
      const sessionId = await createSession(stores[0]!);

      const results = await Promise.all(
        numberedEvents(50).map((event, i) =>
          stores[i % 2]!.commit(commitOf(sessionId, { delta: { events: [event] } })),
        ),
      );

      const winners = results.flatMap(({ status }, i) => (status === "committed" ? [i] : []));
      expect(winners).toHaveLength(1);
      const after = await readAll(stores[1]!, sessionId);
      expect(after.stm).toEqual([[`event ${winners[0]}`]]);
      for (const result of results) {
        if (result.status === "stale") expect(result.state).toEqual(after.state);
      }
    });

    test("that are repeated while stale all take effect once, in the order of their versions", async () => {
      await using place = await openPlace();
      const stores = [(await place.open()).sessions, (await place.open()).sessions];
      const sessionId = await createSession(stores[0]!);
      const placesTaken = new Map<string, number>();

      await Promise.all(
        numberedEvents(40).map(async (event, i) => {
          for (let base = 0; ;) {
            const result = await stores[i % 2]!.commit(
              commitOf(sessionId, {
                baseVersion: base,
                time: base + 1,
                delta: { events: [event] },
              }),
            );
            if (result.status === "committed") {
              placesTaken.set(event[0]!, base);
              return;
            }
            base = result.state.version;
          }
        }),
      );

      const { state, stm } = await readAll(stores[0]!, sessionId);
      expect(state).toMatchObject({ version: 40, time: 40, stmLength: 40 });
      expect(stm.map(([symbol]) => placesTaken.get(symbol!))).toEqual(stm.map((_, i) => i));
    });

    test("with one id take effect once", async () => {
      await using place = await openPlace();
      const stores = [(await place.open()).sessions, (await place.open()).sessions];
      const sessionId = await createSession(stores[0]!);

      const seen = await Promise.all(
        Array.from({ length: 30 }, async (_, i) => {
          for (let baseVersion = 0; ;) {
            const result = await stores[i % 2]!.commit(
              commitOf(sessionId, {
                baseVersion,
                delta: { events: [["a"]] },
                ids: ["once"],
                outcomes: [{ id: "once", reply: i }],
              }),
            );
            if (result.status === "committed") return i;
            if (result.seen.has("once")) return result.seen.get("once");
            baseVersion = result.state.version;
          }
        }),
      );

      expect(new Set(seen).size).toBe(1);
      expect((await readAll(stores[0]!, sessionId)).stm).toEqual([["a"]]);
    });

    test("on many sessions do not meet one another", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const ids = await Promise.all(
        Array.from({ length: 60 }, (_, i) => createSession(sessions, { nodeId: `node ${i % 12}` })),
      );

      const results = await Promise.all(
        ids.map((id) => sessions.commit(commitOf(id, { delta: { events: [[id]] } }))),
      );
      const loaded = await Promise.all(ids.map((id) => readAll(sessions, id)));

      expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["committed"]));
      expect(loaded.map(({ stm }) => stm)).toEqual(ids.map((id) => [[id]]));
    });
  });
}
