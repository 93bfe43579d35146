import { SuperJSON } from "superjson";
import { ServiceError } from "./errors.ts";
import { readAnnotated } from "./read-annotated.ts";

/** Superjson's wire form: plain JSON, and in `meta.values` a type for each path that is more than JSON. */
export type Envelope = { json: unknown; meta?: { values?: unknown; v?: number } };

const superjson = new SuperJSON();

/**
 * The one transformer of both ends. It writes and reads superjson's format, but plain JSON passes
 * as it is (superjson copies it at 18 to 36 times the cost of `JSON.stringify`) and any key may
 * occur (superjson refuses `__proto__`, `constructor` and `prototype`). Dates, NaN, infinities, -0,
 * undefined and bigints are noted by path. Everything rarer (Map, class instances) is left to
 * superjson to write, and of that only what `readAnnotated` knows can be read.
 */
export const transformer = {
  serialize(value: unknown): Envelope {
    // Undefined is `{}` on the wire, in place of an annotated null.
    if (value === undefined || isJson(value)) return { json: value };
    const marks: Mark[] = [];
    if (!findMarks(value, [], marks)) return superjson.serialize(value);
    const [first] = marks;
    if (first === undefined) return { json: value };
    const json = marks.every(({ type }) => type === "Date") ? value : asJson(value);
    const values = first.path.length === 0 ? [first.type] : annotationsOf(marks);
    return { json, meta: { values, v: 1 } };
  },

  /** @throws ServiceError INVALID_INPUT when the payload is not an envelope or its `meta` is broken. */
  deserialize(payload: unknown): unknown {
    if (payload === undefined) return undefined;
    if (typeof payload !== "object" || payload === null || Array.isArray(payload))
      throw noEnvelope();
    const { json, meta } = payload as Envelope;
    if (meta === undefined || meta === null) {
      if (json === undefined && Object.keys(payload).length > 0) throw noEnvelope();
      return json;
    }
    try {
      return readAnnotated(json, meta);
    } catch (cause) {
      throw new ServiceError("INVALID_INPUT", "the superjson `meta` of this value is broken", {
        cause,
      });
    }
  },
};

function noEnvelope(): ServiceError {
  return new ServiceError(
    "INVALID_INPUT",
    'expected the superjson form {"json": …} around the input, for example {"json":{"nodeId":"n1"}}',
  );
}

/** Whether JSON.stringify writes `value` faithfully. Apart from `findMarks` since keeping the path doubles its cost. */
function isJson(value: unknown): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return isJsonNumber(value);
    case "object":
      if (value === null) return true;
      return Array.isArray(value) ? value.every(isJson) : isRecord(value) && areJson(value);
    default:
      return false;
  }
}

function areJson(record: Readonly<Record<string, unknown>>): boolean {
  for (const key in record) {
    const item = record[key];
    // A field that is undefined is a field left out.
    if (item !== undefined && !isJson(item)) return false;
  }
  return true;
}

function isJsonNumber(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0);
}

function isRecord(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A value that is more than the JSON in its place, and superjson's word for its type. */
type Mark = { path: string[]; type: MarkType };
type MarkType = "Date" | "number" | "undefined" | "bigint";

function markOf(value: unknown): MarkType | undefined {
  switch (typeof value) {
    case "number":
      return isJsonNumber(value) ? undefined : "number";
    case "bigint":
      return "bigint";
    case "undefined":
      return "undefined";
    default:
      return value instanceof Date && !Number.isNaN(value.getTime()) ? "Date" : undefined;
  }
}

/** Whether `value` is a tree of JSON and of values that a mark can describe; collects the marks. */
function findMarks(value: unknown, path: string[], marks: Mark[]): boolean {
  const type = markOf(value);
  if (type !== undefined) {
    marks.push({ path: [...path], type });
    return true;
  }
  if (typeof value !== "object" || value === null) return isJson(value);
  // An invalid one: null, as for JSON.stringify and for superjson.
  if (value instanceof Date) return true;
  if (!Array.isArray(value) && !isRecord(value)) return false;
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined && !Array.isArray(value)) continue;
    path.push(key);
    if (!findMarks(item, path, marks)) return false;
    path.pop();
  }
  return true;
}

/** A copy with superjson's texts in place of what JSON has no form for; dates are left to JSON.stringify. */
function asJson(value: unknown): unknown {
  switch (markOf(value)) {
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "bigint":
      return String(value);
    case "undefined":
      return null;
    case "Date":
      return value;
    case undefined:
      break;
  }
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (Array.isArray(value)) return value.map(asJson);
  const copy: Record<string, unknown> = Object.create(null);
  for (const [key, item] of Object.entries(value)) if (item !== undefined) copy[key] = asJson(item);
  return copy;
}

function annotationsOf(marks: readonly Mark[]): Record<string, [string]> {
  const annotations: Record<string, [string]> = Object.create(null);
  for (const { path, type } of marks) {
    const escaped = path.map((key) => key.replaceAll("\\", "\\\\").replaceAll(".", "\\."));
    annotations[escaped.join(".")] = [type];
  }
  return annotations;
}
