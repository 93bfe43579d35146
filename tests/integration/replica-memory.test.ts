import { describe, expect, it } from "vitest";
import { nodeTag } from "../../server/stores/session-id.ts";
import { readExposition } from "../support/exposition.ts";
import { send } from "../support/http-calls.ts";
import { createSession, observeEvents, predictAfter } from "../support/node-calls.ts";
import { openTestStore, STORE_KINDS } from "../support/service.ts";
import { waitFor } from "../support/wait-for.ts";
import { watchService } from "../support/watched-service.ts";
import { call } from "../support/wire.ts";

const PATTERNS = 4_000;
const MEBIBYTE = 2 ** 20;

describe.each(STORE_KINDS)(
  "memory for nodes on %s that two of them do not fit in",
  { timeout: 120_000 },
  (kind) => {
    it("is left by the one used before, which predicts the same when it is asked again", async () => {
      await using store = await openTestStore(kind);
      await using service = await watchService({
        store: store.url,
        env: { KATO_REPLICA_MEMORY_MB: "1" },
      });
      const { url } = service;
      for (const nodeId of ["one", "two"]) await learnPairs(url, nodeId);
      const ask = async (nodeId: string) => {
        const { predictions } = await predictAfter(url, nodeId, [[`first of ${nodeId}`], ["s7"]]);
        const metrics = readExposition((await send(`${url}/metrics`)).text);
        const sizeBytes = metrics.get("kato_replica_bytes");
        return { predictions, sizeBytes, count: metrics.get("kato_replica_nodes") };
      };

      const before = await ask("one");
      const between = await ask("two");
      const after = await ask("one");

      for (const { sizeBytes, count } of [before, between, after]) {
        expect(count).toBe(1);
        expect(sizeBytes).toBeGreaterThan(MEBIBYTE / 2);
        expect(sizeBytes).toBeLessThanOrEqual(MEBIBYTE);
      }
      const left = await waitFor(
        () => {
          const lines = service
            .log()
            .filter(({ msg }) => msg === "a node left memory to make room");
          return lines.length === 2 ? lines : undefined;
        },
        { what: "both nodes to have left memory" },
      );
      expect(left.map(({ node }) => node)).toEqual([nodeTag("one"), nodeTag("two")]);
      expect(before.predictions).toHaveLength(100);
      expect(before.predictions[0]).toMatchObject({ matches: ["first of one", "s7"] });
      expect(after.predictions).toEqual(before.predictions);
      for (const nodeId of ["one", "two"]) {
        expect(await call(url, "node.stats", { nodeId })).toMatchObject({
          patterns: PATTERNS,
          symbols: PATTERNS + 1,
          frequencies: PATTERNS,
        });
      }
    });
  },
);

/** Patterns of two symbols, of which all of a node share the first. */
async function learnPairs(url: string, nodeId: string): Promise<void> {
  const sessionId = await createSession(url, nodeId, { maxPatternLength: 2 });
  const symbols = Array.from({ length: PATTERNS }, (_, i) => `s${i}`);
  await observeEvents(
    url,
    sessionId,
    symbols.flatMap((symbol) => [[`first of ${nodeId}`], [symbol]]),
  );
}
