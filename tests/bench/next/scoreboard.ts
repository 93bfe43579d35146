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
for (const file of files) rows.push(rowOf(file, await evaluate(file)));
const table = [HEAD, HEAD.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
const readme = readFileSync(README, "utf8");
writeFileSync(README, replaceSection(readme, "scoreboard", table.join("\n")));
console.log(table.join("\n"));

async function evaluate(file: string): Promise<EvaluateReport> {
  const { stdout } = await run(process.execPath, [KATO, "evaluate", file, "--json"]);
  return JSON.parse(stdout) as EvaluateReport;
}

function rowOf(file: string, report: EvaluateReport): string[] {
  const [own, ...baselines] = report.methods;
  if (own === undefined) throw new Error(`${file} was not scored`);
  const accurate = baselines.toSorted((a, b) => b.accuracy.at1 - a.accuracy.at1)[0] ?? own;
  const sure = baselines.toSorted((a, b) => a.logLossBits - b.logLossBits)[0] ?? own;
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
