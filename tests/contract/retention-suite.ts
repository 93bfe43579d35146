import { describe, expect, test } from "vitest";
import { commitOf, createSession, NOW, numberedEvents, readAll } from "./session-builders.ts";
import type { OpenPlace } from "./store-place.ts";

const HOUR_MS = 3_600_000;
const SMALL = { events: 5, accumulated: 4, outcomes: 3, outcomesMs: 3_600_000 };

export function describeRetention(openPlace: OpenPlace): void {
  describe("retention", () => {
    test("keeps the newest events, emotives, metadata and replies over many commits", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open({ retention: SMALL });
      const sessionId = await createSession(sessions);
      const ids = Array.from({ length: 12 }, (_, i) => `id${i}`);

      for (const [baseVersion, id] of ids.entries()) {
        await sessions.commit(
          commitOf(sessionId, {
            baseVersion,
            delta: { events: [[id]], emotives: [{ [id]: 1 }], metadata: [{ id }] },
            outcomes: [{ id, reply: baseVersion }],
          }),
        );
      }

      const after = await readAll(sessions, sessionId, { ids });
      expect(after.stm).toEqual(ids.slice(-5).map((id) => [id]));
      expect(after.state.stmLength).toBe(5);
      expect(after.emotives).toEqual(ids.slice(-4).map((id) => ({ [id]: 1 })));
      expect(after.metadata).toEqual(ids.slice(-4).map((id) => ({ id })));
      expect([...after.seen.keys()]).toEqual(ids.slice(-3));
    });

    test("keeps the newest of a commit that is bigger than all that may be kept", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);
      const outcomes = Array.from({ length: 10_000 }, (_, i) => ({ id: `id${i}`, reply: i }));
      const ids = outcomes.map(({ id }) => id);
      const names = Array.from({ length: 2_500 }, (_, i) => `v${i}`);
      await sessions.commit(commitOf(sessionId, { delta: { events: [["old"]] } }));

      const result = await sessions.commit(
        commitOf(sessionId, {
          baseVersion: 1,
          delta: {
            events: numberedEvents(2_500),
            emotives: Array.from({ length: 2_500 }, (_, i) => ({ joy: i })),
            metadata: Array.from({ length: 2_500 }, (_, i) => ({ i })),
            vectors: names.map((name) => ({ name, vector: [1] })),
          },
          ids,
          outcomes,
        }),
      );

      expect(result.status).toBe("committed");
      const after = await readAll(sessions, sessionId, { ids });
      expect(after.stm).toEqual(numberedEvents(1_000, 1_500));
      expect(after.state.stmLength).toBe(1_000);
      expect(after.emotives.map(({ joy }) => joy)).toEqual(
        Array.from({ length: 1_000 }, (_, i) => i + 1_500),
      );
      expect(after.metadata.at(0)).toEqual({ i: 1_500 });
      expect(after.vectors.map(({ name }) => name)).toEqual(names.slice(-1_000));
      expect([...after.seen.keys()]).toEqual(ids.slice(-1_024));
    });

    test("takes a full memory and one commit that replaces all of it", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);
      const fill = (baseVersion: number) =>
        sessions.commit(
          commitOf(sessionId, {
            baseVersion,
            delta: { events: numberedEvents(1_000, baseVersion * 1_000) },
            outcomes: Array.from({ length: 1_024 }, (_, i) => ({
              id: `${baseVersion}-${i}`,
              reply: i,
            })),
          }),
        );

      await fill(0);
      await fill(1);

      const ids = ["0-0", "0-1023", "1-0", "1-1023"];
      const after = await readAll(sessions, sessionId, { ids });
      expect(after.stm).toEqual(numberedEvents(1_000, 1_000));
      expect([...after.seen.keys()]).toEqual(["1-0", "1-1023"]);
    });

    test("lets an id that was forgotten take effect again", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open({ retention: SMALL });
      const sessionId = await createSession(sessions);
      const commit = (baseVersion: number, id: string) =>
        sessions.commit(
          commitOf(sessionId, { baseVersion, ids: [id], outcomes: [{ id, reply: baseVersion }] }),
        );
      for (const [baseVersion, id] of ["a", "b", "c", "d"].entries()) await commit(baseVersion, id);

      expect(await commit(4, "b")).toMatchObject({ status: "stale", seen: new Map([["b", 1]]) });
      expect(await commit(4, "a")).toMatchObject({ status: "committed" });
      expect((await readAll(sessions, sessionId, { ids: ["a", "b", "c", "d"] })).seen).toEqual(
        new Map([
          ["a", 4],
          ["c", 2],
          ["d", 3],
        ]),
      );
    });

    test("forgets replies that are older than the window, some at a time, and keeps the others", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions, { ttlSeconds: 864_000 });
      const minutes = Array.from({ length: 180 }, (_, i) => i);
      const ids = minutes.map((minute) => `id${minute}`);
      const known = async (minute: number) => {
        const nowMs = NOW + minute * 60_000;
        return [...(await readAll(sessions, sessionId, { ids, nowMs })).seen.keys()];
      };

      for (const minute of minutes) {
        const id = `id${minute}`;
        const at = { nowMs: NOW + minute * 60_000, slides: false };
        const outcomes = [{ id, reply: minute }];
        await sessions.commit(commitOf(sessionId, { at, baseVersion: minute, outcomes }));

        const kept = await known(minute);
        // An hour's and the minute's at either end, and with those not yet forgotten a sixteenth of an hour more.
        expect(kept).toEqual(ids.slice(minute + 1 - kept.length, minute + 1));
        expect(kept.length).toBeGreaterThanOrEqual(Math.min(minute + 1, 61));
        expect(kept.length).toBeLessThanOrEqual(64);
      }
    });

    test("forgets all replies of a session that was left alone for longer than the window", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions, { ttlSeconds: 864_000 });
      const outcomes = Array.from({ length: 1_000 }, (_, i) => ({ id: `id${i}`, reply: i }));
      await sessions.commit(commitOf(sessionId, { outcomes }));
      const ids = [...outcomes.map(({ id }) => id), "new", "newer"];
      const nowMs = NOW + 2 * HOUR_MS;
      const commit = (baseVersion: number, id: string) =>
        sessions.commit(
          commitOf(sessionId, {
            at: { nowMs, slides: false },
            baseVersion,
            outcomes: [{ id, reply: null }],
          }),
        );

      await commit(1, "new");
      await commit(2, "newer");

      const { seen } = await readAll(sessions, sessionId, { ids, nowMs });
      expect([...seen.keys()]).toEqual(["new", "newer"]);
    });

    test("keeps as many ids and for as long as it is told", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open({
        retention: { ...SMALL, outcomes: 16, outcomesMs: 1_000 },
      });
      const sessionId = await createSession(sessions);
      const ids = Array.from({ length: 40 }, (_, i) => `id${i}`);
      const commit = (baseVersion: number, nowMs: number) =>
        sessions.commit(
          commitOf(sessionId, {
            at: { nowMs, slides: false },
            baseVersion,
            outcomes: [{ id: `id${baseVersion}`, reply: null }],
          }),
        );
      const kept = async () => [...(await readAll(sessions, sessionId, { ids })).seen.keys()];

      for (let i = 0; i < 20; i += 1) await commit(i, NOW);
      expect((await kept()).length).toBeLessThanOrEqual(17);
      expect((await kept()).slice(-16)).toEqual(ids.slice(4, 20));

      await commit(20, NOW + 1_000);
      expect((await kept()).slice(-16)).toEqual(ids.slice(5, 21));
      await commit(21, NOW + 1_063);
      expect(await kept()).toEqual(["id20", "id21"]);
    });

    test("trims to a smaller memory with the first commit after the setting changed", async () => {
      await using place = await openPlace();
      const { sessions: before } = await place.open();
      const sessionId = await createSession(before);
      await before.commit(commitOf(sessionId, { delta: { events: numberedEvents(50) } }));

      const { sessions } = await place.open({ retention: SMALL });
      await sessions.commit(
        commitOf(sessionId, { baseVersion: 1, delta: { events: [["newest"]] } }),
      );

      const { stm, state } = await readAll(sessions, sessionId);
      expect(stm).toEqual([...numberedEvents(4, 46), ["newest"]]);
      expect(state.stmLength).toBe(5);
    });
  });
}
