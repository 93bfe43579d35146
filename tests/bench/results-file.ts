import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { format } from "oxfmt";

/**
 * Puts a section into a Markdown file, in place of what stands there between its two marks, or else at the end; what is
 * written by hand stays. `head` begins a file that is not there yet.
 */
export async function writeSection(
  path: string,
  { head, name, text }: { head: string; name: string; text: string },
): Promise<void> {
  const before = existsSync(path) ? await readFile(path, "utf8") : head;
  const [opening, closing] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const section = `${opening}\n\n${text.trim()}\n\n${closing}`;
  const [start, end] = [before.indexOf(opening), before.indexOf(closing)];
  const after =
    start < 0 || end < start
      ? `${before.trimEnd()}\n\n${section}\n`
      : before.slice(0, start) + section + before.slice(end + closing.length);
  const { code } = await format(path, after, {});
  await writeFile(path, code);
}
