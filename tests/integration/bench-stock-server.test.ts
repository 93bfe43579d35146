import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { startProcess } from "../support/processes.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import { call } from "../support/wire.ts";

const STOCK_SERVER = fileURLToPath(
  new URL("../bench/throughput/peers/stock-adapter.ts", import.meta.url),
);

describe.each(STORE_KINDS)("the benchmark's stock server on %s", (kind) => {
  it("serves the same sessions as the service", async () => {
    await using store = await openTestStore(kind);
    await using service = await startService({ store: store.url });
    await using stock = await startProcess({
      command: process.execPath,
      args: [STOCK_SERVER, store.url],
    });
    const [, url = ""] = await stock.waitForLine(/peer on (\S+)/);

    const { sessionId } = await call<{ sessionId: string }>(url, "session.create", { nodeId: "n" });
    await call(url, "session.observe", { sessionId, strings: ["a"] });
    await call(service.url, "session.observe", { sessionId, strings: ["b"] });

    for (const at of [url, service.url]) {
      expect(await call(at, "session.stm", { sessionId })).toMatchObject({ stm: [["a"], ["b"]] });
    }
  });
});
