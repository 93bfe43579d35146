import { describe, expect, test } from "vitest";
import { commitOf, createSession, numberedEvents, readAll } from "./session-builders.ts";
import type { OpenPlace } from "./store-place.ts";

const SMALL = { events: 5, accumulated: 4, outcomes: 3, outcomesMs: 3_600_000 };

export function describeRetention(openPlace: OpenPlace): void {
  describe("retention", () => {
    test("keeps the newest events, emotives and metadata over many commits", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open({ retention: SMALL });
      const sessionId = await createSession(sessions);
      const ids = Array.from({ length: 12 }, (_, i) => `id${i}`);

      for (const [baseVersion, id] of ids.entries()) {
        await sessions.commit(
          commitOf(sessionId, {
            baseVersion,
            delta: { events: [[id]], emotives: [{ [id]: 1 }], metadata: [{ id }] },
          }),
        );
      }

      const after = await readAll(sessions, sessionId);
      expect(after.stm).toEqual(ids.slice(-5).map((id) => [id]));
      expect(after.state.stmLength).toBe(5);
      expect(after.emotives).toEqual(ids.slice(-4).map((id) => ({ [id]: 1 })));
      expect(after.metadata).toEqual(ids.slice(-4).map((id) => ({ id })));
    });

    test("keeps the newest of a commit that is bigger than all that may be kept", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);
      const outcomes = Array.from({ length: 20_000 }, (_, i) => ({ id: `id${i}`, reply: i }));
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
      expect([...after.seen.keys()]).toEqual(ids.slice(-16 * 1_024));
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
          }),
        );

      await fill(0);
      await fill(1);

      expect((await readAll(sessions, sessionId)).stm).toEqual(numberedEvents(1_000, 1_000));
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
