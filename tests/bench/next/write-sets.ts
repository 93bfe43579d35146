/** `npm run bench:sets -- DIR`: writes the sequences that are made up with seeds as files for `kato evaluate`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SETS } from "./sets.ts";

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error("usage: npm run bench:sets -- DIR");
mkdirSync(directory, { recursive: true });
for (const [name, make] of Object.entries(SETS)) {
  // Items of that format hold no blanks.
  const lines = make().map((events) =>
    events
      .map((event) => `${event.replaceAll(" ", "_")} -1 `)
      .join("")
      .concat("-2"),
  );
  const path = join(directory, `${name}.spmf`);
  writeFileSync(path, `${lines.join("\n")}\n`);
  console.log(path);
}
