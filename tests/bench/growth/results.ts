/** RESULTS.md: a section per curve, each replaced by the run that measures it anew; and the plots. */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { RunDescription } from "../describe-run.ts";
import { writeSection } from "../results-file.ts";
import type { Curve, CurveResult } from "./curve.ts";
import { drawSvg } from "./plot.ts";

const HEAD = `# Growth

How the cost of a call grows with what the service holds, and with its load, as \`npm run bench:growth\` measured it:
client, server and store on the same machine, medians over rounds that take every size by turns. Dashed lines are goals.
A section tells of the run it comes from.
`;

export async function saveCurve(
  curve: Curve,
  result: CurveResult,
  run: RunDescription,
): Promise<void> {
  await writeFile(pathOf(`${curve.name}.svg`), `${await drawSvg(result.panels)}\n`);
  const text = formatSection(curve, result, run);
  await writeSection(pathOf("RESULTS.md"), { head: HEAD, name: curve.name, text });
}

function formatSection(curve: Curve, result: CurveResult, run: RunDescription): string {
  const goals = result.goals.map(
    ({ goal, figure, met }) => `- ${goal}: **${figure}**, ${met ? "kept" : "missed"}`,
  );
  return [
    `## ${curve.title}\n`,
    `${curve.about}\n`,
    `${run.date}, ${run.machine}; ${run.versions}; \`${run.command}\`\n`,
    `${markdownTable(result)}\n`,
    ...(goals.length > 0 ? [`${goals.join("\n")}\n`] : []),
    `![${curve.title}](${curve.name}.svg)\n`,
  ].join("\n");
}

function markdownTable({ header, rows }: CurveResult): string {
  const lines = [header, header.map((_, i) => (i === 0 ? "---" : "---:")), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
