/**
 * `npm run scoreboard -- FILE…`: evaluates each file as its users would, and writes the README's scoreboard of them. By
 * hand, since it takes minutes: after a change of the method. `FILE:N` takes the first N cases alone.
 */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { EvaluateReport, MethodReport } from "@kato-rpc/server/cli/evaluate/evaluate.ts";
import { replaceSection } from "../../docs/readme-tables.ts";

const README = new URL("../../../README.md", import.meta.url);
const KATO = fileURLToPath(import.meta.resolve("@kato-rpc/server/cli.ts"));
const HEAD = [
  "log",
  "answers",
  "right at 1",
  "best baseline",
  "points ahead",
  "log loss, bits",
  "best baseline",
  "bits ahead",
  "ECE",
  "p50 ms",
  "p99 ms",
  "reproduced by",
];

/** Standard errors that a difference has to have. */
const SURE = 2;

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
  replaceSection(readme, "scoreboard", [...table, "", verdictOf(reports)].join("\n")),
);
console.log(table.join("\n"));

/** What the command line of a file has to say. */
function argumentsOf(file: string): string[] {
  const [path = "", cases] = file.split(":");
  return cases === undefined ? [path] : [path, "--cases", cases];
}

async function evaluate(file: string): Promise<EvaluateReport> {
  const { stdout } = await run(process.execPath, [
    KATO,
    "evaluate",
    ...argumentsOf(file),
    "--json",
  ]);
  return JSON.parse(stdout) as EvaluateReport;
}

function rowOf(file: string, report: EvaluateReport): string[] {
  const [own, ...baselines] = report.methods;
  if (own === undefined) throw new Error(`${file} was not scored`);
  const { accurate, sure } = bestOf(baselines, own);
  const [path = "", ...flags] = argumentsOf(file);
  const name = basename(path);
  const isMadeUp = name.endsWith(".spmf");
  const { accuracy } = accurate.lead;
  const { logLossBits } = sure.lead;
  return [
    name.replace(/\.\w+$/, ""),
    report.answers.toLocaleString("en"),
    own.accuracy.at1.toFixed(4),
    `${accurate.accuracy.at1.toFixed(4)}, ${accurate.name}`,
    `${(100 * accuracy.mean).toFixed(2)} ± ${(100 * accuracy.error).toFixed(2)}`,
    own.logLossBits.toFixed(4),
    `${sure.logLossBits.toFixed(4)}, ${sure.name}`,
    `${(-logLossBits.mean).toFixed(4)} ± ${logLossBits.error.toFixed(4)}`,
    own.calibrationError.toFixed(4),
    report.latencyMs.p50.toFixed(1),
    report.latencyMs.p99.toFixed(1),
    `\`npx kato evaluate ${[isMadeUp ? `sets/${name}` : name, ...flags].join(" ")}\``,
  ];
}

/** The best baselines in accuracy and in log loss; `own` without any. */
function bestOf(
  baselines: readonly MethodReport[],
  own: MethodReport,
): { accurate: MethodReport; sure: MethodReport } {
  return {
    accurate: baselines.toSorted((a, b) => b.accuracy.at1 - a.accuracy.at1)[0] ?? own,
    sure: baselines.toSorted((a, b) => a.logLossBits - b.logLossBits)[0] ?? own,
  };
}

/** On how many logs it is ahead of the best baseline, and behind by more than sampling leaves open, before the table rounds. */
function verdictOf(all: readonly EvaluateReport[]): string {
  const leads = all.flatMap(({ methods: [own, ...baselines] }) => {
    if (own === undefined) return [];
    const { accurate, sure } = bestOf(baselines, own);
    const { accuracy } = accurate.lead;
    const { logLossBits } = sure.lead;
    return [
      {
        accuracy,
        bits: { mean: -logLossBits.mean, error: logLossBits.error },
      },
    ];
  });
  const count = (of: "accuracy" | "bits"): string => {
    const ahead = leads.filter(({ [of]: { mean, error } }) => mean > SURE * error).length;
    const behind = leads.filter(({ [of]: { mean, error } }) => mean < -SURE * error).length;
    return `ahead on ${ahead}, level on ${all.length - ahead - behind} and behind on ${behind}`;
  };
  return (
    `Of these ${all.length} logs, \`session.next\` is in log loss ${count("bits")}, and in accuracy ${count("accuracy")}; ` +
    `level is less than two standard errors from the best baseline.`
  );
}
