import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { LogEvent } from "./event-log.ts";
import type { FieldNames, GivenNames } from "./field-names.ts";
import { findFieldNames } from "./field-names.ts";
import { lineError, parseEvent } from "./log-line.ts";

/**
 * Reads one JSON object per line; its fields are named as in the first one, and hold text or numbers.
 * Empty lines are passed over. @throws UsageError
 */
export async function* readJsonLines(input: Readable, given: GivenNames): AsyncGenerator<LogEvent> {
  const lines = createInterface({ input, crlfDelay: Infinity });
  let names: FieldNames | undefined;
  let number = 0;
  try {
    for await (const line of lines) {
      number += 1;
      const text = number === 1 ? line.replace(/^\uFEFF/, "") : line;
      if (text.trim() === "") continue;
      const fields = parseObject(text, number);
      names ??= findFieldNames(Object.keys(fields), given);
      yield parseEvent(pick(fields, names, number), number);
    }
  } finally {
    lines.close();
    input.destroy();
  }
}

function parseObject(text: string, line: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw lineError(line, "this is no JSON", error);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw lineError(line, 'expected an object such as {"case":"1","activity":"a","timestamp":0}');
  }
  return value as Record<string, unknown>;
}

function pick(fields: Record<string, unknown>, names: FieldNames, line: number) {
  const textOf = (name: string): string => {
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (typeof value === "string") return value;
    if (typeof value === "number") return String(value);
    throw lineError(line, `expected text or a number in the field ${JSON.stringify(name)}`);
  };
  return {
    caseId: textOf(names.case),
    activity: textOf(names.activity),
    timestamp: textOf(names.timestamp),
  };
}
