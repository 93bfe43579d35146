import { describe, expect, test } from "vitest";
import type { ListedSession, SessionStore } from "../../server/stores/session-store.ts";
import { commitOf, createSession, newSession, NOW, readAll, using } from "./session-builders.ts";
import type { OpenPlace } from "./store-place.ts";

/** All pages of a node's sessions, with `between` called after each. */
export async function walkSessions(
  store: SessionStore,
  nodeId: string,
  options: { limit: number; nowMs?: number; between?: (page: ListedSession[]) => Promise<void> },
): Promise<ListedSession[][]> {
  const { limit, nowMs = NOW, between = async () => undefined } = options;
  const pages: ListedSession[][] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await store.listSessions(nodeId, { cursor, limit, nowMs });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    pages.push(page.items);
    if (page.nextCursor === null) return pages;
    expect(pages.length, "a walk that does not end").toBeLessThan(500);
    cursor = page.nextCursor;
    await between(page.items);
  }
}

function idsOf(pages: ListedSession[][]): string[] {
  return pages.flat().map(({ state }) => state.sessionId);
}

async function walkNodes(store: SessionStore, limit: number): Promise<string[]> {
  const ids: string[] = [];
  let after: string | undefined;
  for (;;) {
    const { items, more } = await store.listNodes({ after, limit, nowMs: NOW });
    ids.push(...items.map(({ nodeId }) => nodeId));
    if (!more) return ids;
    expect(items).toHaveLength(limit);
    after = ids.at(-1);
  }
}

export function describeListing(openPlace: OpenPlace): void {
  describe("the list of a node's sessions", () => {
    test("is empty for a node without any, and for one never heard of", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      await sessions.delete(await createSession(sessions), NOW);

      for (const nodeId of ["node", "never heard of"]) {
        const page = await sessions.listSessions(nodeId, {
          cursor: undefined,
          limit: 5,
          nowMs: NOW,
        });
        expect(page).toEqual({ items: [], nextCursor: null });
        expect(await sessions.countSessions(nodeId, NOW)).toBe(0);
      }
    });

    test.each([1, 2, 7, 24, 25, 100])(
      "holds each live session once in order of expiry, ties included, in pages of %i",
      async (limit) => {
        await using place = await openPlace();
        const { sessions } = await place.open();
        const live = await Promise.all(
          Array.from({ length: 25 }, (_, i) =>
            createSession(sessions, { ttlSeconds: 100 + Math.floor(i / 6) }),
          ),
        );
        await createSession(sessions, { nodeId: "other" });
        await createSession(sessions, { nowMs: NOW - 50_000, ttlSeconds: 49 });

        const pages = await walkSessions(sessions, "node", { limit });

        const items = pages.flat();
        expect(idsOf(pages).toSorted()).toEqual(live.toSorted());
        const expiries = items.map(({ expiresAt }) => expiresAt);
        expect(expiries).toEqual(expiries.toSorted((a, b) => a - b));
        expect(await sessions.countSessions("node", NOW)).toBe(25);
      },
    );

    test("walks through many sessions of one expiry one by one", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const live = await Promise.all(Array.from({ length: 40 }, () => createSession(sessions)));

      const pages = await walkSessions(sessions, "node", { limit: 1 });

      expect(idsOf(pages).toSorted()).toEqual(live.toSorted());
    });

    test("tells of each session what a load tells", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions, {
        metadata: { a: 1 },
        config: { maxPatternLength: 2 },
      });
      await sessions.commit(commitOf(sessionId, { time: 3, delta: { events: [["a"], ["b"]] } }));

      const page = await sessions.listSessions("node", { cursor: undefined, limit: 5, nowMs: NOW });

      const { state, expiresAt } = await readAll(sessions, sessionId);
      expect(page.items).toMatchObject([{ state, expiresAt }]);
    });

    test("leaves out what expires while it is walked", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const ids = await Promise.all(
        Array.from({ length: 6 }, (_, i) => createSession(sessions, { ttlSeconds: 10 + i })),
      );
      const first = await sessions.listSessions("node", {
        cursor: undefined,
        limit: 2,
        nowMs: NOW,
      });

      const rest: string[] = [];
      let cursor = first.nextCursor;
      while (cursor !== null) {
        const nowMs = NOW + 14_000;
        const page = await sessions.listSessions("node", { cursor, limit: 2, nowMs });
        rest.push(...page.items.map(({ state }) => state.sessionId));
        cursor = page.nextCursor;
      }

      expect(first.items.map(({ state }) => state.sessionId)).toEqual(ids.slice(0, 2));
      expect(rest).toEqual(ids.slice(4));
    });

    test("misses no session that is used while it is walked", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const live = await Promise.all(
        Array.from({ length: 12 }, (_, i) => createSession(sessions, { ttlSeconds: 60 + (i % 3) })),
      );
      let turn = 0;

      const pages = await walkSessions(sessions, "node", {
        limit: 2,
        async between() {
          // One that was listed, one that is yet to come, or both.
          const used = live[(turn * 5) % live.length]!;
          turn += 1;
          if (turn < 10) await sessions.load(used, { at: using(NOW + turn) });
        },
      });

      expect(new Set(idsOf(pages))).toEqual(new Set(live));
    });

    test("goes on when the session at which a page ended is deleted, even among ties", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const live = await Promise.all(Array.from({ length: 12 }, () => createSession(sessions)));

      const pages = await walkSessions(sessions, "node", {
        limit: 3,
        async between(page) {
          await sessions.delete(page.at(-1)!.state.sessionId, NOW);
        },
      });

      expect(new Set(idsOf(pages))).toEqual(new Set(live));
    });

    test.each(["", "nonsense", "12", ":", "a:b", "-1:x", "1:", "1:' OR 1", "1:x:y", "1e3:x"])(
      "refuses the cursor %j",
      async (cursor) => {
        await using place = await openPlace();
        const { sessions } = await place.open();

        await expect(
          sessions.listSessions("node", { cursor, limit: 5, nowMs: NOW }),
        ).rejects.toMatchObject({ code: "INVALID_INPUT" });
      },
    );
  });

  describe("the list of nodes", () => {
    // By UTF-16 units the last two would come the other way round.
    const ordered = ["", "\0", " ", "A", "B", "a", "a ", "a\0", "ab", "é", "ﬀ", "\uFFFD", "😀"];
    const inBytes = ordered.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

    test.each([1, 2, 5, 13, 50])(
      "is ordered by the bytes of their ids, in pages of %i",
      async (limit) => {
        await using place = await openPlace();
        const { sessions } = await place.open();
        for (const nodeId of ordered.toReversed()) await createSession(sessions, { nodeId });
        await createSession(sessions, { nodeId: "B" });

        expect(await walkNodes(sessions, limit)).toEqual(inBytes);
      },
    );

    test("begins after any text, known or not, and says whether there are more", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      for (const nodeId of ["b", "d", "f"]) await createSession(sessions, { nodeId });
      const list = async (after: string | undefined, limit: number) => {
        const { items, more } = await sessions.listNodes({ after, limit, nowMs: NOW });
        return [...items.map(({ nodeId }) => nodeId), more];
      };

      expect(await list(undefined, 2)).toEqual(["b", "d", true]);
      expect(await list("", 3)).toEqual(["b", "d", "f", false]);
      expect(await list("b", 1)).toEqual(["d", true]);
      expect(await list("c", 2)).toEqual(["d", "f", false]);
      expect(await list("f", 2)).toEqual([false]);
    });

    test("counts the live sessions of each, and keeps nodes that have none left", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      for (let i = 0; i < 3; i += 1) await createSession(sessions, { nodeId: "a" });
      await createSession(sessions, { nodeId: "a", ttlSeconds: 1 });
      await sessions.delete(await createSession(sessions, { nodeId: "b" }), NOW);

      const nowMs = NOW + 2_000;
      const { items } = await sessions.listNodes({ after: undefined, limit: 10, nowMs });

      expect(items).toEqual([
        { nodeId: "a", activeSessions: 3 },
        { nodeId: "b", activeSessions: 0 },
      ]);
    });

    test("is known by its exact id from its first session on, and for good", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      for (const nodeId of ["", "a", "a\0", "{a}"]) {
        expect(await sessions.hasNode(nodeId)).toBe(false);
        await sessions.delete(await createSession(sessions, { nodeId }), NOW);
        expect(await sessions.hasNode(nodeId)).toBe(true);
      }
      expect(await sessions.hasNode("A")).toBe(false);
    });

    test("is empty at first", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();

      const nodes = await sessions.listNodes({ after: undefined, limit: 10, nowMs: NOW });

      expect(nodes).toEqual({ items: [], more: false });
    });
  });

  describe("nodes", () => {
    test("with ids of every kind stay apart", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const short = [
        "",
        " ",
        "a",
        "a ",
        " a",
        "A",
        "a\n",
        "a\0",
        "\0",
        "'",
        '"',
        "\\",
        "%",
        "é",
        "😀",
      ];
      const syntax = [
        "{a}",
        "{}",
        "}{",
        "*",
        "?",
        "a:b",
        "a:node",
        "kato:{a}:node",
        "../..",
        "-- ",
      ];
      const names = ["__proto__", "constructor", "prototype", "toString", "null", "0", "00", "1e1"];
      const long = ["e\u0301", "\u200b", "a".repeat(256), "😀".repeat(64)];
      const nodeIds = [...short, ...syntax, ...names, ...long];
      const created = nodeIds.map((nodeId) => newSession({ nodeId, metadata: { nodeId } }));

      await Promise.all(created.map((session) => sessions.create(session)));

      for (const { nodeId, sessionId } of created) {
        const pages = await walkSessions(sessions, nodeId, { limit: 5 });
        expect(idsOf(pages), JSON.stringify(nodeId)).toEqual([sessionId]);
        expect(await sessions.countSessions(nodeId, NOW)).toBe(1);
        expect((await readAll(sessions, sessionId)).state).toMatchObject({
          nodeId,
          metadata: { nodeId },
        });
      }
      expect((await walkNodes(sessions, 10)).toSorted()).toEqual(nodeIds.toSorted());
    });
  });
}
