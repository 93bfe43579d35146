/** `npm run docs`: brings the README's tables up to date with the code. */
import { readFileSync, writeFileSync } from "node:fs";
import { README_TABLES, replaceSection } from "./readme-tables.ts";

const README = new URL("../../README.md", import.meta.url);

let readme = readFileSync(README, "utf8");
for (const [name, content] of Object.entries(README_TABLES))
  readme = replaceSection(readme, name, content);
writeFileSync(README, readme);
