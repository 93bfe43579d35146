/** RESULTS.md: a section per curve, each replaced by the run that measures it anew; and the plots. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { format } from "oxfmt";
import { startRedis } from "../../support/redis-server.ts";
import type { Curve, CurveResult } from "./curve.ts";
import { CURVES } from "./curves.ts";
import { drawSvg } from "./plot.ts";

export type RunDescription = { machine: string; versions: string; date: string; command: string };

const HEAD = `# Growth

How the cost of a call grows with what the service holds, as \`npm run bench:growth\` measured it: client, server and store
on the same machine, medians over rounds that take every size by turns. Dashed lines are goals. A section tells of the
run it comes from.
`;

export async function describeRun(args: readonly string[]): Promise<RunDescription> {
  const [cpu] = cpus();
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  await using redis = await startRedis();
  const info = await redis.client().info("server");
  const redisVersion = /redis_version:(\S+)/.exec(info)?.[1] ?? "";
  return {
    machine: `${cpus().length} cores (${cpu?.model.trim() ?? ""}), ${gibibytes} GiB, ${process.platform}`,
    versions: `Node ${process.versions.node}, Redis ${redisVersion}`,
    date: new Date().toISOString().slice(0, 10),
    command: ["npm run bench:growth", ...(args.length > 0 ? ["--", ...args] : [])].join(" "),
  };
}

export async function saveCurve(
  curve: Curve,
  result: CurveResult,
  run: RunDescription,
): Promise<void> {
  await writeFile(pathOf(`${curve.name}.svg`), `${await drawSvg(result.panels)}\n`);
  const path = pathOf("RESULTS.md");
  const before = existsSync(path) ? await readFile(path, "utf8") : "";
  const sections = CURVES.map((each) =>
    each === curve ? formatSection(curve, result, run) : findSection(before, each.name),
  );
  const text = [HEAD, ...sections.filter((section) => section !== undefined)].join("\n");
  const { code } = await format(path, text, {});
  await writeFile(path, code);
}

function formatSection(curve: Curve, result: CurveResult, run: RunDescription): string {
  const goals = result.goals.map(
    ({ goal, figure, met }) => `- ${goal}: **${figure}**, ${met ? "kept" : "missed"}`,
  );
  return [
    `${openingOf(curve.name)}\n`,
    `## ${curve.title}\n`,
    `${curve.about}\n`,
    `${run.date}, ${run.machine}; ${run.versions}; \`${run.command}\`\n`,
    `${markdownTable(result)}\n`,
    ...(goals.length > 0 ? [`${goals.join("\n")}\n`] : []),
    `![${curve.title}](${curve.name}.svg)\n`,
    `${closingOf(curve.name)}\n`,
  ].join("\n");
}

function markdownTable({ header, rows }: CurveResult): string {
  const lines = [header, header.map((_, i) => (i === 0 ? "---" : "---:")), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** As it stands; undefined while the curve was never measured. */
function findSection(text: string, name: string): string | undefined {
  const start = text.indexOf(openingOf(name));
  const closing = closingOf(name);
  const end = text.indexOf(closing, start);
  return start < 0 || end < 0 ? undefined : `${text.slice(start, end + closing.length)}\n`;
}

function openingOf(name: string): string {
  return `<!-- ${name} -->`;
}

function closingOf(name: string): string {
  return `<!-- /${name} -->`;
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
