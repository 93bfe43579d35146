import { createReadStream } from "node:fs";
import { extname } from "node:path";
import { createInterface } from "node:readline";
import type { Event } from "@kato-rpc/shared/observation.ts";
import type { GivenNames } from "../replay/field-names.ts";
import { LOG_FORMATS, readEventLog } from "../replay/read-event-log.ts";
import type { LogFormat } from "../replay/read-event-log.ts";
import { UsageError } from "../usage-error.ts";
import type { LineReader } from "./sequence-lines.ts";
import { isRemark, isSpmf, readSpmf, readTokens } from "./sequence-lines.ts";

const LINE_READERS = { spmf: readSpmf, lines: readTokens } as const;

export type CaseFormat = LogFormat | keyof typeof LINE_READERS;

export const CASE_FORMATS = [...LOG_FORMATS, ...Object.keys(LINE_READERS)] as CaseFormat[];

/** The events of one case, in order. */
export type Case = readonly Event[];

/** Fields that the header of an event log has at least: case, activity and timestamp. */
const LEAST_FIELDS = 3;

/** Cases in the order of the file. @throws UsageError that says what is wrong with file or line */
export async function readCases(
  path: string,
  { format, names }: { format: CaseFormat; names: GivenNames },
): Promise<Case[]> {
  if (format === "spmf" || format === "lines") return readLines(path, LINE_READERS[format]);
  const cases = await readEventLog(path, { format, names });
  return cases.map(({ activities }) => activities.map((activity) => [activity]));
}

/** By the file's name, or by its first line that says something. @throws UsageError when it cannot be read */
export async function guessCaseFormat(path: string): Promise<CaseFormat> {
  const extension = extname(path).toLowerCase();
  if (extension === ".csv") return "csv";
  if (extension === ".jsonl" || extension === ".ndjson") return "jsonl";
  for await (const { text } of linesOf(path)) {
    if (isRemark(text)) continue;
    if (text.startsWith("{")) return "jsonl";
    if (isSpmf(text)) return "spmf";
    return text.split(",").length < LEAST_FIELDS ? "lines" : "csv";
  }
  throw new UsageError(`${path}: the file has no events`);
}

async function readLines(path: string, read: LineReader): Promise<Case[]> {
  const cases: Case[] = [];
  for await (const { text, line } of linesOf(path)) {
    try {
      const events = read(text, line);
      if (events !== undefined) cases.push(events);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`${path}: ${error.message}`, { cause: error });
    }
  }
  if (cases.length === 0) throw new UsageError(`${path}: the file has no events`);
  return cases;
}

/** Without a byte order mark; `line` counts from 1. */
async function* linesOf(path: string): AsyncGenerator<{ text: string; line: number }> {
  const input = createReadStream(path);
  const lines = createInterface({ input, crlfDelay: Infinity });
  let line = 0;
  try {
    for await (const text of lines) {
      line += 1;
      yield { text: line === 1 ? text.replace(/^\uFEFF/, "") : text, line };
    }
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new UsageError(`cannot read the file: ${problem}`, { cause: error });
  } finally {
    lines.close();
    input.destroy();
  }
}
