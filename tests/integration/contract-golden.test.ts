import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasGoldenCases, readGoldenCases } from "../support/golden-cases.ts";
import { playGoldenCase } from "../support/golden.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import { createWireDriver } from "../support/wire-golden-driver.ts";

/** What the reference answered to recorded sessions, which lie beside the repository. */
describe.skipIf(!hasGoldenCases)("the golden cases, over the wire", () => {
  it("are at hand, all 342", () => {
    expect(readGoldenCases()).toHaveLength(342);
  });

  describe.each(STORE_KINDS)("on %s with 2 workers", (kind) => {
    let url: string;
    let stack: AsyncDisposableStack;

    beforeAll(async () => {
      stack = new AsyncDisposableStack();
      const store = stack.use(await openTestStore(kind));
      ({ url } = stack.use(await startService({ store: store.url, workers: 2 })));
    });
    afterAll(() => stack.disposeAsync());

    it.each(readGoldenCasesHere())("$id", { timeout: 60_000 }, async (golden) => {
      await playGoldenCase(golden, createWireDriver(url, golden.id));
    });
  });
});

function readGoldenCasesHere() {
  return hasGoldenCases ? readGoldenCases() : [];
}
