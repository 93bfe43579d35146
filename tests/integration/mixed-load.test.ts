import { createKatoClient } from "@kato-rpc/client";
import { describe, expect, it } from "vitest";
import { describeFinding } from "../support/history/finding.ts";
import { checkLoad } from "../support/load/check-load.ts";
import { runMixedLoad } from "../support/load/mixed-load.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";

const WORKERS = 4;

describe.each(STORE_KINDS)("4 workers on %s under mixed load", (kind) => {
  it("keep everything once, in order, and count what they learned", async () => {
    await using store = await openTestStore(kind);
    await using service = await startService({ store: store.url, workers: WORKERS });
    const seed = 20_261_124;

    const load = await runMixedLoad({ urls: [service.url], seed, seconds: 3 });

    await using client = createKatoClient({ url: service.url });
    const findings = await checkLoad(load, client);
    expect(findings.map(describeFinding)).toEqual([]);
    expect(load.counts.errors).not.toHaveProperty("INTERNAL");
    expect(Object.keys(load.counts.byKind)).toHaveLength(11);
  });
});
