import { createReadStream } from "node:fs";
import { extname } from "node:path";
import { UsageError } from "../usage-error.ts";
import type { LogCase } from "./event-log.ts";
import { gatherCases } from "./event-log.ts";
import type { GivenNames } from "./field-names.ts";
import { readCsv } from "./read-csv.ts";
import { readJsonLines } from "./read-json-lines.ts";

const READERS = { csv: readCsv, jsonl: readJsonLines } as const;

export type LogFormat = keyof typeof READERS;

export const LOG_FORMATS = Object.keys(READERS) as LogFormat[];

/** By the file's name; anything else is taken for CSV. */
export function guessFormat(path: string): LogFormat {
  return [".jsonl", ".ndjson"].includes(extname(path).toLowerCase()) ? "jsonl" : "csv";
}

/** Reads a whole event log, as a stream. @throws UsageError that says what is wrong with file or line */
export async function readEventLog(
  path: string,
  options: { format: LogFormat; names: GivenNames },
): Promise<LogCase[]> {
  try {
    const cases = await gatherCases(READERS[options.format](createReadStream(path), options.names));
    if (cases.length === 0) throw new UsageError("the log has no events");
    return cases;
  } catch (error) {
    if (error instanceof UsageError) {
      throw new UsageError(`${path}: ${error.message}`, { cause: error });
    }
    if (error instanceof Error && "syscall" in error) {
      throw new UsageError(`cannot read the log: ${error.message}`, { cause: error });
    }
    throw error;
  }
}
