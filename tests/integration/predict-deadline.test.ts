import { describe, expect, it } from "vitest";
import { createSession, observeEvents } from "../support/node-calls.ts";
import type { TestStore } from "../support/service.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import { waitFor } from "../support/wait-for.ts";
import { call, errorOf, expectError, tryCall } from "../support/wire.ts";

const PATTERNS = 20_000;
const PATTERNS_PER_CALL = 5_000;

describe.each(STORE_KINDS)(
  "a prediction whose deadline passes, on %s",
  { timeout: 120_000 },
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
      await using stack = new AsyncDisposableStack();
      const { hasty, reply } = await predictInHaste(store, sessionId, stack);

      const refusal = expectError(reply, "OVERLOADED");
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
      const stats = await waitFor(() => call(hasty.url, "node.stats", { nodeId: "large" }), {
        what: "the node's figures",
      });
      expect(stats).toMatchObject({ patterns: PATTERNS });
    });
  },
);

/** The first prediction of a service whose calls have little time, and the service, which `stack` ends. */
async function predictInHaste(store: TestStore, sessionId: string, stack: AsyncDisposableStack) {
  for (let round = 1; ; round += 1) {
    // The slower the machine, the longer the load takes as well.
    const env = { KATO_DEADLINE_MS: String(50 * 2 ** round) };
    const hasty = stack.use(await startService({ store: store.url, env }));
    // What comes before the node must be quick: the first calls of a process are not.
    await waitFor(
      async () => (await tryCall(hasty.url, "session.stm", { sessionId })).status === 200,
      {
        what: "the session to be read in time",
      },
    );
    const reply = await tryCall(hasty.url, "session.predict", { sessionId });
    // A busy machine may yet be late before it comes to the node.
    const wasLate = reply.status === 503 && errorOf(reply).data.kato === "STORE_UNAVAILABLE";
    if (!wasLate || round === 5) return { hasty, reply };
  }
}
