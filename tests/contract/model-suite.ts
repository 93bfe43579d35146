import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeTag } from "../../server/stores/session-id.ts";
import { ModelStore } from "./model-store.ts";
import { readNode } from "./node-builders.ts";
import { DAY_MS } from "./session-builders.ts";
import type { Operation } from "./store-operations.ts";
import { NODES, operations, replay } from "./store-operations.ts";
import type { OpenPlace } from "./store-place.ts";

const RETENTION = { events: 5, accumulated: 4, outcomes: 6, outcomesMs: 3_600_000 };

const create = (ttlSeconds: number): Operation => ({
  kind: "create",
  node: 0,
  ttlSeconds,
  request: undefined,
  size: 0,
});
const wait = (ms: number): Operation => ({ kind: "wait", ms });
const list: Operation = { kind: "list", node: 0, limit: 1 };
const load: Operation = { kind: "load", slot: 0, slides: true, ids: [], parts: [] };

/** An order that changes, an end, and the end of what is remembered of it, all within one second. */
const WITHIN_A_SECOND: Operation[][] = [
  [wait(1), create(60), create(60), wait(1), load, list],
  [wait(1), create(60), create(3_600), wait(60_001), list],
  [wait(1), create(60), wait(60_001), wait(DAY_MS), { kind: "find", slot: 0 }, load],
];

export function describeAgainstModel(openPlace: OpenPlace): void {
  describe("any sequence of calls", () => {
    test("is answered as by a store that keeps everything in memory", async () => {
      await fc.assert(
        fc.asyncProperty(operations, async (script) => {
          await using place = await openPlace();
          const { sessions, nodes } = await place.open({ retention: RETENTION });

          // Redis remembers what expired for a day after the second in which it did.
          const tombstoneStepMs = place.url.startsWith("sqlite:") ? 1 : 1_000;
          const model = new ModelStore(RETENTION, undefined, tombstoneStepMs);

          const passTime = (ms: number) => place.passTime(ms);
          const replies = await replay({ store: sessions, passTime }, script);

          expect(replies).toEqual(await replay({ store: model }, script));
          for (const tag of NODES.map(nodeTag)) {
            expect(await readNode(nodes, { tag })).toEqual(model.node(tag).contents());
          }
        }),
        { numRuns: 60, examples: WITHIN_A_SECOND.map((script) => [script]) },
      );
    });
  });
}
