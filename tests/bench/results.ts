import { fileURLToPath } from "node:url";
import type { RunDescription } from "./describe-run.ts";
import { writeSection } from "./results-file.ts";
import type { Measured, Section } from "./section.ts";

const HEAD = `# Figures

What \`npm run bench\` measured: client, server and store on the same machine, medians over rounds that take every target
by turns. A section tells of the run it comes from. How costs grow stands in [growth/RESULTS.md](growth/RESULTS.md).
`;

/** The section's part of RESULTS.md. */
export async function saveSection(
  { name, title, about }: Section,
  { text, goals }: Measured,
  run: RunDescription,
): Promise<void> {
  const kept = goals.map(
    ({ goal, figure, met }) => `- ${goal}: **${figure}**, ${met ? "kept" : "missed"}`,
  );
  const parts = [
    `## ${title}`,
    about,
    `${run.date}, ${run.machine}; ${run.versions}; \`${run.command}\``,
    `\`\`\`\n${text}\n\`\`\``,
    kept.join("\n"),
  ];
  const path = fileURLToPath(new URL("RESULTS.md", import.meta.url));
  await writeSection(path, { head: HEAD, name, text: parts.join("\n\n") });
}
