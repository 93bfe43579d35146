import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeTag } from "../../server/stores/session-id.ts";
import { ModelStore } from "./model-store.ts";
import { readNode } from "./node-builders.ts";
import { NODES, operations, replay } from "./store-operations.ts";
import type { OpenPlace } from "./store-place.ts";

const RETENTION = { events: 5, accumulated: 4, outcomes: 6, outcomesMs: 3_600_000 };

export function describeAgainstModel(openPlace: OpenPlace): void {
  describe("any sequence of calls", () => {
    test("is answered as by a store that keeps everything in memory", async () => {
      await fc.assert(
        fc.asyncProperty(operations, async (script) => {
          await using place = await openPlace();
          const { sessions, nodes } = await place.open({ retention: RETENTION });

          const model = new ModelStore(RETENTION);

          const passTime = (ms: number) => place.passTime(ms);
          const replies = await replay({ store: sessions, passTime }, script);

          expect(replies).toEqual(await replay({ store: model }, script));
          for (const tag of NODES.map(nodeTag)) {
            expect(await readNode(nodes, { tag })).toEqual(model.node(tag).contents());
          }
        }),
        { numRuns: 60 },
      );
    });
  });
}
