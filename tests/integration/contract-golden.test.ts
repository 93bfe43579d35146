import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasGoldenCases, readGoldenCases } from "../support/golden-cases.ts";
import { playGoldenCase } from "../support/golden.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import type { PinnedClient } from "../support/clients/pinned-client.ts";
import { pinToWorkers } from "../support/clients/pinned-client.ts";
import { createWireDriver } from "../support/wire-golden-driver.ts";

/** What the reference answered to recorded sessions, which lie beside the repository. */
describe.skipIf(!hasGoldenCases)("the golden cases, over the wire", () => {
  it("are at hand, all 342", () => {
    expect(readGoldenCases()).toHaveLength(342);
  });

  describe.each(STORE_KINDS)("on %s with 2 workers", (kind) => {
    let workers: PinnedClient[];
    let stack: AsyncDisposableStack;

    beforeAll(async () => {
      stack = new AsyncDisposableStack();
      const store = stack.use(await openTestStore(kind));
      const { url } = stack.use(await startService({ store: store.url, workers: 2 }));
      workers = await pinToWorkers(url, 2);
      stack.defer(() => {
        for (const worker of workers) worker.close();
      });
    });
    afterAll(() => stack.disposeAsync());

    it.each(readGoldenCasesHere())("$id", { timeout: 120_000 }, async (golden) => {
      await playGoldenCase(golden, createWireDriver(workers, golden.id));
    });
  });
});

function readGoldenCasesHere() {
  return hasGoldenCases ? readGoldenCases() : [];
}
