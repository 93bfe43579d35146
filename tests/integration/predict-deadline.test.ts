import { describe, expect, it } from "vitest";
import { createSession, observeEvents } from "../support/node-calls.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import { waitFor } from "../support/wait-for.ts";
import { call, expectError, tryCall } from "../support/wire.ts";

const PATTERNS = 20_000;
const PATTERNS_PER_CALL = 5_000;

describe.each(STORE_KINDS)(
  "a prediction whose deadline passes, on %s",
  { timeout: 60_000 },
  (kind) => {
    it("is OVERLOADED and says why, while the node is loaded for those to come", async () => {
      await using store = await openTestStore(kind);
      let sessionId: string;
      {
        await using service = await startService({ store: store.url });
        const config = { maxPatternLength: 2 };
        const learner = await createSession(service.url, "large", config);
        for (let first = 0; first < PATTERNS; first += PATTERNS_PER_CALL) {
          const symbols = Array.from({ length: PATTERNS_PER_CALL }, (_, i) => `s${first + i}`);
          await observeEvents(
            service.url,
            learner,
            symbols.flatMap((symbol) => [["first"], [symbol]]),
          );
        }
        sessionId = await createSession(service.url, "large");
        await observeEvents(service.url, sessionId, [["first"], ["s7"]]);
      }
      await using hasty = await startService({
        store: store.url,
        env: { KATO_DEADLINE_MS: "100" },
      });

      const refusal = expectError(
        await tryCall(hasty.url, "session.predict", { sessionId }),
        "OVERLOADED",
      );
      const overrides = { recallThreshold: 0.9 };
      const answered = await waitFor(
        async () => {
          const reply = await tryCall(hasty.url, "session.predict", { sessionId, overrides });
          return reply.status === 200 ? reply : undefined;
        },
        { what: "the node to be loaded" },
      );

      expect(refusal.data.retryAfterMs).toBeGreaterThan(0);
      expect(refusal.message).toMatch(/read into memory/);
      expect(answered.body).toMatchObject({
        result: { data: { json: { predictions: [{ similarity: 1, matches: ["first", "s7"] }] } } },
      });
      expect(await call(hasty.url, "node.stats", { nodeId: "large" })).toMatchObject({
        patterns: PATTERNS,
      });
    });
  },
);
