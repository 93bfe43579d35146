import { describe, expect, test } from "vitest";
import { createSessionId } from "../../server/stores/session-id.ts";
import { commitOf, createSession, DAY_MS, newSession, NOW, readAll } from "./session-builders.ts";
import type { OpenPlace } from "./store-place.ts";

export function describeCreation(openPlace: OpenPlace): void {
  describe("creation", () => {
    test("gives the session that was asked for, and so does a load", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const asked = newSession({
        ttlSeconds: 90,
        metadata: { origin: "here", depth: { a: [1, null, true] } },
        config: { maxPatternLength: 3 },
        mark: "made",
      });

      const created = await sessions.create(asked);
      const loaded = await readAll(sessions, asked.sessionId);

      const { sessionId, nodeId, ttlSeconds, metadata, config, mark } = asked;
      const state = { sessionId, nodeId, createdAt: NOW, ttlSeconds, metadata, config, mark };
      const expected = {
        state: { ...state, version: 0, time: 0, stmLength: 0 },
        expiresAt: NOW + 90_000,
        seen: new Map(),
      };
      expect(created).toEqual({ ...expected, repeated: false });
      const nothing = { stm: [], emotives: [], metadata: [], vectors: [], percept: null };
      expect(loaded).toEqual({ ...expected, ...nothing });
    });

    test("with a request id that was used before gives the first session, whatever is asked for now", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const first = newSession({ requestId: "once", ttlSeconds: 100, metadata: { first: true } });
      await sessions.create(first);

      const second = await sessions.create(
        newSession({ requestId: "once", ttlSeconds: 7, config: { maxPatternLength: 9 } }),
      );

      expect(second.state).toMatchObject({
        sessionId: first.sessionId,
        ttlSeconds: 100,
        metadata: { first: true },
        config: {},
      });
      expect(await sessions.countSessions("node", NOW)).toBe(1);
    });

    test("repeated tells what has become of the session since", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions, { requestId: "once" });
      await sessions.commit(commitOf(sessionId, { delta: { events: [["a"]] } }));

      const repeated = await sessions.create(newSession({ requestId: "once" }));

      expect(repeated.state).toMatchObject({ sessionId, version: 1, time: 1, stmLength: 1 });
    });

    test("makes one session of twenty concurrent requests with one id, from two workers", async () => {
      await using place = await openPlace();
      const stores = [(await place.open()).sessions, (await place.open()).sessions];
      const asked = Array.from({ length: 20 }, (_, i) =>
        newSession({ requestId: "once", metadata: { attempt: i }, ttlSeconds: 60 + i }),
      );

      const created = await Promise.all(asked.map((one, i) => stores[i % 2]!.create(one)));

      const winner = asked.find(({ sessionId }) => sessionId === created[0]!.state.sessionId)!;
      for (const { state, expiresAt } of created) {
        expect(state).toEqual(created[0]!.state);
        expect(expiresAt).toBe(NOW + winner.ttlSeconds * 1_000);
      }
      expect(created[0]!.state.metadata).toEqual(winner.metadata);
      expect(await stores[0]!.countSessions("node", NOW)).toBe(1);
    });

    test("with the same request id on another node makes another session", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();

      const here = await createSession(sessions, { nodeId: "here", requestId: "once" });
      const there = await createSession(sessions, { nodeId: "there", requestId: "once" });

      expect(there).not.toBe(here);
      expect((await readAll(sessions, there)).state.nodeId).toBe("there");
    });

    test("does not make a second session for a request whose session is gone", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const deleted = await createSession(sessions, { requestId: "deleted" });
      await createSession(sessions, { requestId: "expired", ttlSeconds: 1 });
      await sessions.delete(deleted, NOW);

      const repeat = (requestId: string) =>
        sessions.create(newSession({ requestId, nowMs: NOW + 2_000 }));

      await expect(repeat("deleted")).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
      await expect(repeat("expired")).rejects.toMatchObject({ code: "SESSION_EXPIRED" });
      expect(await sessions.countSessions("node", NOW + 2_000)).toBe(0);
    });

    test("of many sessions at once gives each its own", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const asked = Array.from({ length: 200 }, (_, i) =>
        newSession({ nodeId: `node ${i % 20}`, metadata: { i } }),
      );

      await Promise.all(asked.map((one) => sessions.create(one)));
      const loaded = await Promise.all(asked.map(({ sessionId }) => readAll(sessions, sessionId)));

      expect(loaded.map(({ state }) => state.metadata)).toEqual(asked.map((one) => one.metadata));
      expect(loaded.map(({ state }) => state.nodeId)).toEqual(asked.map(({ nodeId }) => nodeId));
    });
  });

  describe("a session that was never created", () => {
    test.each([
      ["an id that the service could have made", createSessionId("node")],
      ["an empty text", ""],
      ["a text without a tag", "nonsense"],
      ["a text of SQL", "' OR 1 = 1 --"],
      ["a text of key syntax", "{a}*-\r\n"],
    ])("is not found: %s", async (_what, sessionId) => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      await createSession(sessions);

      const notFound = { code: "SESSION_NOT_FOUND" };
      await expect(readAll(sessions, sessionId)).rejects.toMatchObject(notFound);
      await expect(sessions.commit(commitOf(sessionId, {}))).rejects.toMatchObject(notFound);
      await expect(sessions.extend(sessionId, { nowMs: NOW, ttlSeconds: 5 })).rejects.toMatchObject(
        notFound,
      );
    });

    test("is missing, and there is nothing to delete", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = createSessionId("node");

      expect(await sessions.find(sessionId, NOW)).toBe("missing");
      expect(await sessions.find(sessionId, NOW - 2 * DAY_MS)).toBe("missing");
      expect(await sessions.delete(sessionId, NOW)).toBe(false);
    });
  });
}
