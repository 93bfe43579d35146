import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ReplayReport } from "../../server/cli/replay/replay.ts";
import { runKato } from "../support/kato.ts";
import { allPatterns } from "../support/node-calls.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";

/** Twenty orders of two kinds, and one that stopped at its first step. */
const LOG = [
  "case,activity,timestamp",
  ...Array.from({ length: 20 }, (_, i) =>
    ["order", i % 4 === 0 ? "cancel" : "pay", "close"].map((step, at) => `c${i},${step},${at}`),
  ).flat(),
  "lone,order,0",
].join("\n");

async function writeLog(text: string) {
  const directory = await makeTemporaryDirectory();
  const path = join(directory.path, "orders.csv");
  await writeFile(path, text);
  return { path, [Symbol.asyncDispose]: () => directory.remove() };
}

describe.each(STORE_KINDS)("kato replay --learn on %s", (kind) => {
  it("learns each case as a pattern once it was checked, and tells what they predict", async () => {
    await using log = await writeLog(LOG);
    await using store = await openTestStore(kind);
    await using service = await startService({ store: store.url, workers: 2 });

    const args = ["replay", log.path, "--url", service.url, "--learn", "--predict", "2", "--json"];
    const { code, stdout } = await runKato(args);

    const report = JSON.parse(stdout) as ReplayReport;
    expect(code).toBe(0);
    expect(report).toMatchObject({
      ok: true,
      learned: { cases: 20, patterns: 2, tooShort: 1 },
      predictions: [
        { case: "c0", observed: ["order"], next: "cancel", empty: null },
        { case: "c0", observed: ["order", "cancel"], next: "close", empty: null },
        { case: "c1", observed: ["order"], next: "pay" },
        { case: "c1", observed: ["order", "pay"], next: "close" },
      ],
    });
    expect(report.predictions?.[3]?.predictions[0]).toMatchObject({
      past: [],
      present: [["order"], ["pay"]],
      future: [["close"]],
      frequency: 15,
    });
    const patterns = await allPatterns(service.url, "replay");
    expect(patterns.map(({ frequency }) => frequency).toSorted((a, b) => a - b)).toEqual([5, 15]);
  });
});

describe("kato replay --predict", () => {
  it("prints a table for each prefix of the first cases", async () => {
    await using log = await writeLog(LOG);

    const { code, stdout, stderr } = await runKato([
      "replay",
      log.path,
      "--learn",
      "--predict",
      "1",
    ]);

    expect(code).toBe(0);
    expect(stdout).toMatch(/^learned +20\nlearns\/s +[\d,]+\npatterns +2\none symbol only +1$/m);
    expect(stdout).toContain("case c0 after order → cancel, next came close");
    expect(stdout).toMatch(/^pattern +similarity +past +present +future +potential +frequency$/m);
    expect(stdout).toMatch(/^[0-9a-f]{8} +0\.800 +· +order → cancel +close +3\.\d+ +5$/m);
    expect(stderr).toMatch(/^learning: 21 of 21 cases \(100 %\), /m);
  });

  it("does not let a log's text reach the terminal as it is", async () => {
    await using log = await writeLog(
      "case,activity,timestamp\nc,\u001b[31mred,1\nc,\u202eb,2\nc,x,3",
    );

    const { stdout } = await runKato(["replay", log.path, "--learn", "--predict", "1"]);

    for (const character of ["\u001b", "\u202e"]) expect(stdout).not.toContain(character);
    expect(stdout).toContain("red");
  });

  it("without --learn is refused", async () => {
    await using log = await writeLog(LOG);

    const { code, stderr } = await runKato(["replay", log.path, "--predict", "3"]);

    expect(code).toBe(2);
    expect(stderr).toContain("--predict needs --learn");
  });
});
