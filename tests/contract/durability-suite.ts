import { describe, expect, test } from "vitest";
import type { Metadata } from "@kato-rpc/shared/observation.ts";
import { commitOf, createSession, NOW, readAll } from "./session-builders.ts";
import type { OpenPlace } from "./store-place.ts";

const NASTY_TEXTS = [
  "",
  " ",
  "\0",
  "a\0b",
  "\n\r\t",
  "'",
  '"',
  "\\",
  "\\u0000",
  "--",
  "?",
  "%s",
  "{}",
  "null",
  "__proto__",
  "😀",
  "e\u0301",
  "\u2028\uFFFF",
  "𝒳".repeat(300),
];

/** `{"__proto__": …}` as JSON has it: an own key like any other. */
const NASTY_MAP_JSON =
  '{"__proto__":{"a":1},"constructor":[null],"prototype":"p","":true,"hasOwnProperty":0,' +
  '"toString":-1.5e-7,"\\u0000":"\\u0000","\\"\'\\\\":"😀","5":1,"04":2}';

const NASTY_NUMBERS = [0.1, 1e308, -1e-308, 5e-324, 9007199254740991, -123456789.123];

export function describeDurability(openPlace: OpenPlace): void {
  describe("data", () => {
    test("of every kind comes back as it was", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const map = JSON.parse(NASTY_MAP_JSON) as Metadata;
      const sessionId = await createSession(sessions, { metadata: map });
      const emotives = Object.fromEntries(NASTY_NUMBERS.map((value, i) => [NASTY_TEXTS[i], value]));
      const delta = {
        events: [NASTY_TEXTS, ...NASTY_TEXTS.map((text) => [text])],
        emotives: [
          emotives,
          JSON.parse('{"__proto__":1,"constructor":2}') as { [key: string]: number },
        ],
        metadata: [map, { other: true }],
        vectors: NASTY_TEXTS.map((name) => ({ name, vector: NASTY_NUMBERS })),
        percept: { strings: NASTY_TEXTS, vectors: [NASTY_NUMBERS], metadata: map },
      };

      await sessions.commit(
        commitOf(sessionId, { delta, outcomes: [{ id: "o:a.b~c-d", reply: map }] }),
      );

      const after = await readAll(sessions, sessionId, { ids: ["o:a.b~c-d"] });
      // As texts, since an own key "__proto__" is what comparisons of objects tend to overlook.
      const asText = (value: unknown) => JSON.stringify(value);
      expect(asText(after.state.metadata)).toBe(asText(map));
      expect(asText(after.stm)).toBe(asText(delta.events));
      expect(asText(after.emotives)).toBe(asText(delta.emotives));
      expect(asText(after.metadata)).toBe(asText(delta.metadata));
      expect(asText(after.vectors)).toBe(asText(delta.vectors));
      expect(asText(after.percept)).toBe(asText(delta.percept));
      expect(asText(after.seen.get("o:a.b~c-d"))).toBe(asText(map));
    });

    test("of a megabyte in one commit comes back as it was", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();
      const sessionId = await createSession(sessions);
      const event = Array.from({ length: 1_024 }, (_, i) => String(i).padEnd(1_024, "é"));

      await sessions.commit(commitOf(sessionId, { delta: { events: [event] } }));

      expect((await readAll(sessions, sessionId)).stm).toEqual([event]);
    });

    test("is seen at once by another worker", async () => {
      await using place = await openPlace();
      const [here, there] = [(await place.open()).sessions, (await place.open()).sessions];

      const sessionId = await createSession(here);
      const first = await there.commit(commitOf(sessionId, { delta: { events: [["there"]] } }));
      await here.extend(sessionId, { nowMs: NOW, ttlSeconds: 100 });

      expect(first.status).toBe("committed");
      expect((await readAll(here, sessionId)).stm).toEqual([["there"]]);
      expect((await readAll(there, sessionId)).expiresAt).toBe(NOW + 100_000);
      expect(await there.delete(sessionId, NOW)).toBe(true);
      expect(await here.find(sessionId, NOW)).toBe("missing");
    });

    test("is there when a store is opened anew", async () => {
      await using place = await openPlace();
      const before = await place.open();
      const sessionId = await createSession(before.sessions, { requestId: "once" });
      await before.sessions.commit(
        commitOf(sessionId, {
          delta: {
            events: [["a"]],
            emotives: [{ joy: 1 }],
            metadata: [{ a: 1 }],
            vectors: [{ name: "v", vector: [1] }],
          },
          outcomes: [{ id: "first", reply: 1 }],
        }),
      );
      const expected = await readAll(before.sessions, sessionId, { ids: ["first"] });
      await before.close();

      const { sessions } = await place.open();

      expect(await readAll(sessions, sessionId, { ids: ["first"] })).toEqual(expected);
      expect(await createSession(sessions, { requestId: "once" })).toBe(sessionId);
      expect(await sessions.countSessions("node", NOW)).toBe(1);
    });
  });

  describe("a store", () => {
    test("answers a ping with the time it took", async () => {
      await using place = await openPlace();
      const { sessions } = await place.open();

      expect(await sessions.ping()).toBeGreaterThan(0);
    });

    test("can be closed twice, and fails calls that come later", async () => {
      await using place = await openPlace();
      const store = await place.open();
      const sessionId = await createSession(store.sessions);

      await store.close();
      await store.close();

      await expect(readAll(store.sessions, sessionId)).rejects.toMatchObject({
        code: "STORE_UNAVAILABLE",
      });
      await expect(store.sessions.countSessions("node", NOW)).rejects.toMatchObject({
        code: "STORE_UNAVAILABLE",
      });
    });
  });
}
