import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { openTestStore, startService } from "../support/service.ts";
import { README_TABLES, replaceSection } from "./readme-tables.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");
const readme = await readFile(join(ROOT, "README.md"), "utf8");

describe("the README", () => {
  it.each(Object.entries(README_TABLES))("lists the %s as the code has them", (name, content) => {
    expect(replaceSection(readme, name, content), "run `npm run docs`").toBe(readme);
  });

  it.each(["replay", "chaos", "bench"])(
    "shows what the command of its section %s printed",
    (name) => {
      const [, shown = ""] =
        new RegExp(`<!-- ${name} -->([^]*)<!-- /${name} -->`).exec(readme) ?? [];

      expect(shown).toMatch(/```[^]*\d[^]*```/);
    },
  );

  it("has a scoreboard of what comes next in which every row names its command", () => {
    const [, board = ""] = /<!-- scoreboard -->([^]*)<!-- \/scoreboard -->/.exec(readme) ?? [];
    const [, , ...rows] = board.split("\n").filter((line) => line.startsWith("|"));

    expect(rows.length).toBeGreaterThan(1);
    for (const row of rows) {
      expect(row).toMatch(/\| 0\.\d{4} .*\| `npx kato evaluate \S+( --cases \d+)?` +\|$/);
    }
    const [, ...counts] =
      /in log loss ahead on (\d+), level on (\d+) and behind on (\d+), and in accuracy ahead on (\d+), level on (\d+) and behind on (\d+);/.exec(
        board,
      ) ?? [];
    const [bits, points] = [counts.slice(0, 3), counts.slice(3)].map((each) => each.map(Number));
    expect(bits).toEqual(countsOf(rows, 8, bits));
    expect(points).toEqual(countsOf(rows, 5, points));
  });

  it.each([
    ["A session from TypeScript", printedByComments],
    ["What comes next", printedBelow],
  ])(
    "shows TypeScript in %s that compiles, runs and prints what it says",
    async (title, printed) => {
      await using store = await openTestStore("sqlite");
      await using service = await startService({ store: store.url });
      const example = codeOf(title, "ts");
      // Within the workspace, so that it resolves the client as a user's project would.
      const folder = join(ROOT, "tests/docs/example");
      try {
        await mkdir(folder, { recursive: true });
        const file = join(folder, "example.ts");
        await writeFile(file, example.replace("http://127.0.0.1:8000", service.url));
        const config = { extends: "../../../tsconfig.json", files: ["example.ts"], include: [] };
        await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
        await run(process.execPath, [TSC, "--noEmit", "-p", folder]);

        const { stdout } = await run(process.execPath, [file]);

        expect(stdout.trimEnd().split("\n")).toEqual(printed(title));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );

  it("shows a curl call that the service answers", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await startService({ store: store.url });
    const [command = ""] = /^curl[^]*?(?=\n\S|$)/.exec(codeOf("One call with curl", "sh")) ?? [];
    const [, path = ""] = /127\.0\.0\.1:8000(\S+)/.exec(command) ?? [];
    const [, body = ""] = /-d '(.*)'/.exec(command) ?? [];

    const response = await fetch(service.url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });

    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      result: { data: { json: { nodeId: "kitchen" } } },
    });
  });

  it("names every procedure of the router", async () => {
    const { appRouter } = await import("../../server/api/router.ts");
    const names = Object.keys(appRouter._def.procedures).map((path) => path.split(".")[1] ?? "");
    const section = sectionOf("One call with curl");

    expect(names.filter((name) => !new RegExp(`[\`.]${name}\``).test(section))).toEqual([]);
  });
});

/** What the example's own comments say that it prints. */
function printedByComments(title: string): string[] {
  const logged = codeOf(title, "ts").matchAll(/console\.log\(.*\); \/\/ (.*)$/gm);
  return Array.from(logged, ([, text = ""]) => text);
}

/** What the block after the example shows. */
function printedBelow(title: string): string[] {
  return codeOf(title, "txt").trimEnd().split("\n");
}

function sectionOf(title: string): string {
  const start = readme.indexOf(`## ${title}\n`);
  const end = readme.indexOf("\n## ", start + 1);
  return readme.slice(start, end < 0 ? undefined : end);
}

function codeOf(title: string, language: string): string {
  const section = sectionOf(title);
  const [, code] = new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, "m").exec(section) ?? [];
  if (code === undefined) throw new Error(`the section "${title}" has no code: ${language}`);
  return code;
}

/** The counts, but where a column's figures, as they are rounded, cannot make them: then those that they make. */
function countsOf(
  rows: readonly string[],
  column: number,
  counts: readonly number[] = [],
): number[] {
  const ratios = rows.map((row) => {
    const [mean = 0, error = 0] = (row.split("|")[column] ?? "").split("±").map(Number);
    return mean / error;
  });
  // Figures of two to four digits: a ratio of 2 may be told as 1.9 or as 2.1.
  const count = (is: (ratio: number, limit: number) => boolean) =>
    [2.1, 2, 1.9].map((limit) => ratios.filter((ratio) => is(ratio, limit)).length);
  const [ahead, behind] = [count((r, limit) => r > limit), count((r, limit) => r < -limit)];
  const fits = (given = -1, [least = 0, , most = 0]: number[]) => given >= least && given <= most;
  const sum = counts.reduce((total, each) => total + each, 0);
  if (sum === rows.length && fits(counts[0], ahead) && fits(counts[2], behind)) return [...counts];
  const [made = 0, lost = 0] = [ahead[1], behind[1]];
  return [made, rows.length - made - lost, lost];
}
