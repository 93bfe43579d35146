import type { Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { UsageError } from "../usage-error.ts";
import type { LogEvent } from "./event-log.ts";
import type { GivenNames } from "./field-names.ts";
import { findFieldNames } from "./field-names.ts";
import { parseEvent } from "./log-line.ts";

/** A longer record is taken for a quote that was never closed. */
const MAX_RECORD_CHARACTERS = 1_048_576;

type Row = { record: string[]; info: { lines: number } };

/** Positions in a record. */
type Columns = { caseId: number; activity: number; timestamp: number };

/** Reads CSV (RFC 4180, any line ends, a byte order mark or none) with a header. @throws UsageError */
export async function* readCsv(input: Readable, given: GivenNames): AsyncGenerator<LogEvent> {
  const parser = parse({
    bom: true,
    info: true,
    skip_empty_lines: true,
    max_record_size: MAX_RECORD_CHARACTERS,
  });
  input.on("error", (error) => parser.destroy(error));
  input.pipe(parser);
  let columns: Columns | undefined;
  try {
    for await (const { record, info } of parser as AsyncIterable<Row>) {
      if (columns === undefined) columns = findColumns(record, given);
      else yield parseEvent(pick(record, columns), info.lines);
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new UsageError(`this is no CSV: ${error.message}`, { cause: error });
  } finally {
    input.destroy();
  }
}

function findColumns(header: readonly string[], given: GivenNames): Columns {
  const names = findFieldNames(header, given);
  return {
    caseId: header.indexOf(names.case),
    activity: header.indexOf(names.activity),
    timestamp: header.indexOf(names.timestamp),
  };
}

/** The parser sees to it that every record has as many fields as the header. */
function pick(record: readonly string[], { caseId, activity, timestamp }: Columns) {
  return {
    caseId: record[caseId] ?? "",
    activity: record[activity] ?? "",
    timestamp: record[timestamp] ?? "",
  };
}
