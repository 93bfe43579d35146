import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LIMITS } from "@kato-rpc/shared/limits.ts";
import { describe, expect, it } from "vitest";
import type { EvaluateReport } from "../../server/cli/evaluate/evaluate.ts";
import { BASELINES } from "../../server/cli/evaluate/baselines.ts";
import { casesOfAnswers, differenceOf } from "../../server/cli/evaluate/difference.ts";
import { scoreMethod, tallyMethod } from "../../server/cli/evaluate/score.ts";
import { splitInThirds } from "../../server/cli/evaluate/splits.ts";
import { node } from "../bench/next/node-method.ts";
import { processSource } from "../bench/next/sources.ts";
import { runKato, startKato } from "../support/kato.ts";
import { allPatterns } from "../support/node-calls.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { call } from "../support/wire.ts";

const CASES = processSource({ count: 60, seed: 5 }).map((events) =>
  events.map((event) => event.replaceAll(" ", "_")),
);

const FORMS = {
  csv: (cases: readonly (readonly string[])[]) =>
    [
      "case,activity,timestamp",
      ...cases.flatMap((events, i) => events.map((event, at) => `${i},${event},${at}`)),
    ].join("\n"),
  spmf: (cases: readonly (readonly string[])[]) =>
    cases.map((events) => `${events.join(" -1 ")} -1 -2`).join("\n"),
  lines: (cases: readonly (readonly string[])[]) =>
    cases.map((events) => events.join(" ")).join("\n"),
};

async function writeCases(text: string, name = "cases") {
  const directory = await makeTemporaryDirectory();
  const path = join(directory.path, name);
  await writeFile(path, text);
  return { path, [Symbol.asyncDispose]: () => directory.remove() };
}

async function evaluateAsJson(args: readonly string[]): Promise<EvaluateReport> {
  const { code, stdout, stderr } = await runKato(["evaluate", ...args, "--json"]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as EvaluateReport;
}

describe.each(STORE_KINDS)("kato evaluate on %s", (kind) => {
  it("scores what the service tells as the engine tells it, and leaves nothing behind", async () => {
    await using file = await writeCases(FORMS.csv(CASES));
    await using store = await openTestStore(kind);
    await using service = await startService({ store: store.url, workers: 2 });

    const report = await evaluateAsJson([file.path, "--url", service.url]);

    const expected = scoreMethod(node, [splitInThirds(CASES)]);
    const { name, lead, ...score } = report.methods[0] ?? { name: "" };
    expect(lead?.accuracy).toEqual({ mean: 0, error: 0 });
    expect(name).toBe("session.next");
    expect(report).toMatchObject({ training: 40, test: 20, answers: expected.answers });
    expect(report.latencyMs.calls).toBe(expected.answers);
    // The tally adds in the order in which cases end.
    for (const [field, value] of Object.entries(flatten(expected))) {
      expect(flatten(score)[field], field).toBeCloseTo(value, 9);
    }
    const { items } = await call<{ items: { nodeId: string }[] }>(service.url, "node.list");
    expect(items).toHaveLength(1);
    for (const { nodeId } of items) expect(await allPatterns(service.url, nodeId)).toEqual([]);
    expect(await call(service.url, "session.count")).toEqual({ active: 0 });
  });
});

describe("kato evaluate", () => {
  it("prints a table with the service above the baselines, and how fast it was", async () => {
    await using file = await writeCases(FORMS.lines(CASES));

    const { code, stdout, stderr } = await runKato(["evaluate", file.path]);

    expect(code, stderr).toBe(0);
    const [head, first, second] = stdout.split("\n");
    expect(head).toMatch(
      /^method +right at 1 +at 3 +at 5 +log loss, bits +Brier +ECE +events right +points ahead +bits ahead$/,
    );
    expect(first).toMatch(/^session\.next( +\d\.\d{4}){7} +– +–$/);
    expect(second).toMatch(
      /^most frequent( +\d\.\d{4}){7} +\d+\.\d\d ± \d\.\d\d +\d\.\d{4} ± \d\.\d{4}$/,
    );
    for (const name of ["back-off 5-gram", "all orders 5", "PPM-C 5", "Witten-Bell 3"]) {
      expect(stdout).toMatch(
        new RegExp(`^${name}( +\\d\\.\\d{4}){7}( +-?[\\d.]+ ± [\\d.]+){2}$`, "m"),
      );
    }
    expect(stdout).toMatch(/^p99 ms +\d+\.\d\d$/m);
    expect(stderr).toMatch(/^learning: 40 of 40 cases \(100 %\), /m);
    expect(stderr).toMatch(/^baselines: 13 of 13 methods \(100 %\), /m);
  });

  it("reads the same cases from every format, whichever it looks like", async () => {
    const scores: unknown[] = [];
    for (const write of Object.values(FORMS)) {
      await using file = await writeCases(write(CASES));
      const { methods, answers } = await evaluateAsJson([file.path]);
      scores.push({ answers, accuracy: methods[0]?.accuracy, baseline: methods[5] });
    }

    expect(scores).toEqual(scores.map(() => scores[0]));
  });

  it("pairs the answers with the baselines' own, whichever case ends first", async () => {
    await using file = await writeCases(FORMS.lines(CASES));
    const { methods } = await evaluateAsJson([file.path]);

    const splits = [splitInThirds(CASES)];
    const own = tallyMethod(node, splits);
    for (const [name, method] of Object.entries(BASELINES)) {
      const other = tallyMethod(method, splits);
      const expected = differenceOf(own.bits, other.bits, casesOfAnswers(splits));
      const { lead } = methods.find((each) => each.name === name) ?? {};
      expect(lead?.logLossBits.mean).toBeCloseTo(expected.mean, 9);
      expect(lead?.logLossBits.error).toBeCloseTo(expected.error, 9);
    }
  });

  it("takes the first cases alone where asked to", async () => {
    await using file = await writeCases(FORMS.lines(CASES));

    const report = await evaluateAsJson([file.path, "--cases", "30"]);

    expect(report).toMatchObject({ training: 20, test: 10 });
  });

  it("predicts each case once in folds, drawn by the seed", async () => {
    await using file = await writeCases(FORMS.lines(CASES));
    const folds = (seed: string) => evaluateAsJson([file.path, "--folds", "3", "--seed", seed]);

    const [first, again, other] = [await folds("1"), await folds("1"), await folds("2")];

    expect(first).toMatchObject({ training: 120, test: 60 });
    expect(again.methods[1]).toEqual(first.methods[1]);
    expect(other.methods[1]).not.toEqual(first.methods[1]);
    expect(other.answers).toBe(first.answers);
  });

  it("takes events of several symbols for what they are", async () => {
    const lines = Array.from({ length: 30 }, () => "2 1 -1 3 4 -1 5 -1 -2");
    await using file = await writeCases(["@CONVERTED_FROM_TEXT", ...lines].join("\n"));

    const report = await evaluateAsJson([file.path]);

    expect(report).toMatchObject({ knownEvents: 3, patterns: 1, answers: 20 });
    expect(report.methods[0]?.accuracy.at1).toBe(1);
  });

  it("asks for all events that are known, and warns of cases longer than a session", async () => {
    const letters = Array.from({ length: 1_100 }, (_, i) => `event-${i}`);
    const cases = [letters, ["x", "y", "z"], ["y", "x"], ["x", "y", "z"]];
    const long = Array.from({ length: 20 }, (_, i) => letters.slice(i * 50, i * 50 + 60));
    const short = Array.from({ length: 10 }, () => ["x", "y", "event-1", "event-2"]);
    await using file = await writeCases(FORMS.lines(cases));
    await using wide = await writeCases(FORMS.lines([...long, ...short]));

    const { code, stdout, stderr } = await runKato(["evaluate", file.path]);
    const report = await evaluateAsJson([wide.path]);

    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/^1 case has more events than a session keeps \(KATO_STM_LIMIT\)/m);
    expect(stdout).toMatch(/^session\.next/m);
    expect(report).toMatchObject({ knownEvents: 1_010, cutCases: 0 });
    const expected = scoreMethod(node, [splitInThirds([...long, ...short])]);
    expect(report.methods[0]?.logLossBits).toBeCloseTo(expected.logLossBits, 9);
  });

  it("learns no more once a case failed", async () => {
    const cases = processSource({ count: 3_000, seed: 6 }).map((events) =>
      events.map((event) => event.replaceAll(" ", "_")),
    );
    const tooLong = ["x".repeat(LIMITS.symbolBytes.max + 1), "y"];
    await using file = await writeCases(FORMS.lines([tooLong, ...cases]));

    const { code, stderr } = await runKato(["evaluate", file.path]);

    expect(code).not.toBe(0);
    const [, learned] = /^learning: ([\d,]+) of 2,000 cases/m.exec(stderr) ?? [];
    expect(Number(learned?.replaceAll(",", ""))).toBeLessThan(1_000);
  });

  it("ends at Ctrl-C, and leaves nothing running", async () => {
    const cases = processSource({ count: 3_000, seed: 6 });
    await using file = await writeCases(FORMS.csv(cases), "cases.csv");
    const { process, ended } = await startKato(["evaluate", file.path]);
    await process.waitForLine(/^predicting: /, 60_000);

    process.signal("SIGINT");
    const { code, stdout, stderr } = await ended;

    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    expect(stderr).toContain("kato evaluate: interrupted by SIGINT");
  });

  it.each([
    ["a file that is not there", undefined, [], /cannot read the file: ENOENT/],
    ["an empty file", "\n", [], /the file has no events/],
    ["too few cases", "a b\nc d", [], /too few cases: 2, expected 3 at least/],
    ["cases of one event", "a\nb\nc", [], /no case that is to be predicted has 2 events/],
    ["a line that is none", "1 -1 -2\n1 -1", [], /line 2: a sequence ends in -2/],
    ["a header without a case", "a,b,c\n1,2,3", [], /the log has no case, no activity/],
    ["an unknown format", "a b", ["--format", "xes"], /--format "xes": expected csv, jsonl, spmf/],
    ["a seed without folds", "a b", ["--seed", "3"], /--seed needs --folds/],
    ["one fold", "a b", ["--folds", "1"], /--folds 1: there must be two at least/],
  ])("refuses %s in one line", async (_what, text, flags, message) => {
    await using file = await writeCases(text ?? "");
    const path = text === undefined ? `${file.path}.gone` : file.path;

    const { code, stdout, stderr } = await runKato(["evaluate", path, ...flags]);

    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.split("\n")).toHaveLength(1);
    expect(stderr).toMatch(message);
  });
});

/** Numbers by their paths. */
function flatten(score: object): Record<string, number> {
  const flat: Record<string, number> = {};
  for (const [name, value] of Object.entries(score) as [string, unknown][]) {
    if (typeof value === "number") flat[name] = value;
    else if (typeof value === "object" && value !== null) {
      for (const [inner, each] of Object.entries(flatten(value))) flat[`${name}.${inner}`] = each;
    }
  }
  return flat;
}
