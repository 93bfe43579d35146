import { ERROR_CATALOGUE } from "@kato-rpc/shared/errors.ts";
import { LIMITS } from "@kato-rpc/shared/limits.ts";
import type { SessionConfig } from "@kato-rpc/shared/session-config.ts";
import { DEFAULT_SESSION_CONFIG } from "@kato-rpc/shared/session-config.ts";
import { SESSION_SETTING_MEANINGS } from "@kato-rpc/shared/session-setting-meanings.ts";
import { SETTINGS } from "../../server/config.ts";

/** The README's tables, made from the code that they describe. */
export const README_TABLES = {
  settings: table(
    ["variable", "default", "meaning"],
    Object.values(SETTINGS).map(({ env, default: value, meaning }) => [
      `\`${env}\``,
      `\`${value}\``,
      meaning,
    ]),
  ),
  "session settings": table(
    ["setting", "default", "values", "meaning"],
    Object.entries(SESSION_SETTING_MEANINGS).map(([name, { values, meaning }]) => [
      `\`${name}\``,
      defaultOf(name as keyof SessionConfig),
      values,
      meaning,
    ]),
  ),
  errors: table(
    ["code", "HTTP", "when", "retry", "what to do"],
    Object.entries(ERROR_CATALOGUE).map(([code, { http, meaning, retryable, advice }]) => [
      `\`${code}\``,
      String(http),
      meaning,
      retryable ? "yes" : "no",
      advice,
    ]),
  ),
  limits: table(
    ["limit", "at most", "of"],
    Object.entries(LIMITS).map(([name, { max, meaning }]) => [
      `\`${name}\``,
      max.toLocaleString("en"),
      meaning,
    ]),
  ),
} as const;

export type ReadmeTable = keyof typeof README_TABLES;

/** The README with the text between `<!-- name -->` and `<!-- /name -->` replaced. Throws where the marks are missing. */
export function replaceSection(readme: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [readme.indexOf(start), readme.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the README lacks the marks of ${name}`);
  return `${readme.slice(0, from + start.length)}\n\n${content}\n\n${readme.slice(to)}`;
}

function defaultOf(setting: keyof SessionConfig): string {
  const value = DEFAULT_SESSION_CONFIG[setting];
  if (value === null) return "unset";
  return Array.isArray(value) ? "none" : `\`${String(value)}\``;
}

/** Cells padded as the formatter pads them. */
function table(header: string[], rows: string[][]): string {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = header.map((title, i) =>
    Math.max(title.length, ...escaped.map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...escaped.map(line)].join(
    "\n",
  );
}
