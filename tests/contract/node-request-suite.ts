import { describe, expect, test } from "vitest";
import type { NodeMutation, NodeStore } from "../../server/stores/node-store.ts";
import { AB, followLog, learnAll, learnOf, readNode, TAG } from "./node-builders.ts";
import { NOW } from "./session-builders.ts";
import type { OpenPlace } from "./store-place.ts";

const HASH = learnOf(AB).hash;
const HOUR_MS = 3_600_000;
const MUTATIONS: NodeMutation[] = [
  { kind: "correct", hash: HASH, frequency: 7, emotives: [{ joy: 1 }], metadata: { a: ["é"] } },
  { kind: "forget", hash: HASH },
  { kind: "finalize" },
  { kind: "clear" },
];

export function describeNodeRequests(openPlace: OpenPlace): void {
  describe("a change of a node with an id", () => {
    test.each(MUTATIONS)(
      "to $kind is answered again as at first, and changes nothing",
      async (m) => {
        await using place = await openPlace();
        const stores = [await place.open(), await place.open()];
        await learnAll(stores[0]!, [learnOf(AB), learnOf([["c"], ["d"]])]);
        const change = (store: number) =>
          stores[store]!.nodes.change(TAG, m, { id: "once", digest: "digest", nowMs: NOW });

        const first = await change(0);
        // So that nothing is as the first found it.
        await learnAll(stores[0]!, [learnOf(AB), learnOf([["e"], ["f"]])]);
        await stores[0]!.nodes.change(TAG, { kind: "correct", hash: HASH, frequency: 99 });
        await stores[0]!.nodes.change(TAG, { kind: "forget", hash: HASH });
        const before = await readNode(stores[0]!.nodes);

        expect(first).not.toHaveProperty("firstDigest");
        for (const store of [0, 1]) {
          expect(await change(store)).toEqual({ ...first, firstDigest: "digest" });
        }
        expect(await readNode(stores[1]!.nodes)).toEqual(before);
      },
    );

    test("that is refused is not remembered", async () => {
      await using place = await openPlace();
      const store = await place.open();
      const forget = () =>
        store.nodes.change(
          TAG,
          { kind: "forget", hash: HASH },
          { id: "once", digest: "digest", nowMs: NOW },
        );

      await expect(forget()).rejects.toMatchObject({ code: "PATTERN_NOT_FOUND" });
      await learnAll(store, [learnOf(AB)]);

      expect(await forget()).toEqual({ patterns: 0 });
    });

    test("takes effect once of forty at once", async () => {
      await using place = await openPlace();
      const stores = [await place.open(), await place.open()];
      await learnAll(stores[0]!, [learnOf(AB)]);

      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          stores[i % 2]!.nodes.change(
            TAG,
            { kind: "finalize" },
            { id: "once", digest: `${i}`, nowMs: NOW },
          ),
        ),
      );

      expect(await followLog(stores[0]!.nodes)).toHaveLength(2);
      const winner = answers.findIndex(({ firstDigest }) => firstDigest === undefined);
      for (const [i, { firstDigest }] of answers.entries()) {
        expect(firstDigest).toBe(i === winner ? undefined : `${winner}`);
      }
    });

    test("is forgotten by a change that comes later than the window", async () => {
      await using place = await openPlace();
      const { nodes } = await place.open();
      await finalize(nodes, "old", NOW);
      await finalize(nodes, "young", NOW + HOUR_MS / 2);
      const late = NOW + HOUR_MS + HOUR_MS / 8;

      expect(await finalize(nodes, "old", NOW + HOUR_MS)).toBe("repeated");
      await finalize(nodes, "late", late);

      expect(await finalize(nodes, "young", late)).toBe("repeated");
      expect(await finalize(nodes, "old", late)).toBe("done");
    });
  });
}

async function finalize(nodes: NodeStore, id: string, nowMs: number): Promise<string> {
  const { firstDigest } = await nodes.change(
    TAG,
    { kind: "finalize" },
    { id, digest: "digest", nowMs },
  );
  return firstDigest === undefined ? "done" : "repeated";
}
