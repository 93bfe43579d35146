/**
 * `npm run scoreboard -- FILE…`: evaluates each file as its users would, and writes the README's scoreboard of them. By
 * hand, since it takes minutes: after a change of the method.
 */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { EvaluateReport } from "@kato-rpc/server/cli/evaluate/evaluate.ts";
import { replaceSection } from "../../docs/readme-tables.ts";

const README = new URL("../../../README.md", import.meta.url);
const KATO = fileURLToPath(import.meta.resolve("@kato-rpc/server/cli.ts"));
const HEAD = [
  "log",
  "answers",
  "right at 1",
  "best baseline",
  "log loss, bits",
  "best baseline",
  "ECE",
  "p50 ms",
  "p99 ms",
  "reproduced by",
];

const run = promisify(execFile);
const files = process.argv.slice(2);
if (files.length === 0) throw new Error("usage: npm run scoreboard -- FILE…");

const rows: string[][] = [];
const reports: EvaluateReport[] = [];
for (const file of files) {
  const report = await evaluate(file);
  reports.push(report);
  rows.push(rowOf(file, report));
}
const table = [HEAD, HEAD.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
const readme = readFileSync(README, "utf8");
writeFileSync(
  README,
  replaceSection(readme, "scoreboard", [...table, "", behindOf(reports)].join("\n")),
);
console.log(table.join("\n"));

async function evaluate(file: string): Promise<EvaluateReport> {
  const { stdout } = await run(process.execPath, [KATO, "evaluate", file, "--json"]);
  return JSON.parse(stdout) as EvaluateReport;
}

function rowOf(file: string, report: EvaluateReport): string[] {
  const [own, ...baselines] = report.methods;
  if (own === undefined) throw new Error(`${file} was not scored`);
  const { accurate, sure } = bestOf(baselines, own);
  const name = basename(file);
  const isMadeUp = name.endsWith(".spmf");
  return [
    name.replace(/\.\w+$/, ""),
    report.answers.toLocaleString("en"),
    own.accuracy.at1.toFixed(4),
    `${accurate.accuracy.at1.toFixed(4)}, ${accurate.name}`,
    own.logLossBits.toFixed(4),
    `${sure.logLossBits.toFixed(4)}, ${sure.name}`,
    own.calibrationError.toFixed(4),
    report.latencyMs.p50.toFixed(1),
    report.latencyMs.p99.toFixed(1),
    `\`npx kato evaluate ${isMadeUp ? "sets/" : ""}${name}\``,
  ];
}

type Scored = EvaluateReport["methods"][number];

/** The best baselines in accuracy and in log loss; `own` without any. */
function bestOf(baselines: readonly Scored[], own: Scored): { accurate: Scored; sure: Scored } {
  return {
    accurate: baselines.toSorted((a, b) => b.accuracy.at1 - a.accuracy.at1)[0] ?? own,
    sure: baselines.toSorted((a, b) => a.logLossBits - b.logLossBits)[0] ?? own,
  };
}

/** On how many logs the best baselines are ahead, as the table rounds. */
function behindOf(all: readonly EvaluateReport[]): string {
  const gaps = all.flatMap(({ methods: [own, ...baselines] }) => {
    if (own === undefined) return [];
    const { accurate, sure } = bestOf(baselines, own);
    const round = (value: number): number => Number(value.toFixed(4));
    return {
      accuracy: round(accurate.accuracy.at1) - round(own.accuracy.at1),
      bits: round(own.logLossBits) - round(sure.logLossBits),
    };
  });
  const inAccuracy = gaps.filter(({ accuracy }) => accuracy > 0);
  const inBits = gaps.filter(({ bits }) => bits > 0);
  const both = inAccuracy.filter(({ bits }) => bits > 0).length;
  const points = Math.max(0, ...inAccuracy.map(({ accuracy }) => accuracy)).toFixed(4);
  const bits = Math.max(0, ...inBits.map((gap) => gap.bits)).toFixed(4);
  return (
    `Of these ${all.length} logs, \`session.next\` is behind the best baseline in accuracy on ${inAccuracy.length}, ` +
    `by ${points} at most, and in log loss on ${inBits.length}, by ${bits} bits at most; on ${both} in both.`
  );
}
