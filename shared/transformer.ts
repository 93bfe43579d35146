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
    // `{}` on the wire, in place of an annotated null.
    if (value === undefined) return { json: value };
    const marks: Mark[] = [];
    if (!isPlain(value, [], marks)) return superjson.serialize(value);
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

/** A value that JSON.stringify would not write faithfully, or writes as the text of another type. */
type Mark = { path: string[]; type: "Date" | "number" | "undefined" | "bigint" };

/** Whether `value` is a tree of JSON and of values that a mark can describe; collects the marks. */
function isPlain(value: unknown, path: string[], marks: Mark[]): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      if (!Number.isFinite(value) || Object.is(value, -0)) mark("number", path, marks);
      return true;
    case "undefined":
      mark("undefined", path, marks);
      return true;
    case "bigint":
      mark("bigint", path, marks);
      return true;
    case "object":
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (Array.isArray(value)) return isPlainArray(value, path, marks);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    const record = value as Record<string, unknown>;
    for (const key in record) {
      const item = record[key];
      // A field that is undefined is a field left out.
      if (typeof item === "string" || item === undefined) continue;
      path.push(key);
      if (!isPlain(item, path, marks)) return false;
      path.pop();
    }
    return true;
  }
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) return false;
  mark("Date", path, marks);
  return true;
}

function isPlainArray(items: readonly unknown[], path: string[], marks: Mark[]): boolean {
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (typeof item === "string") continue;
    if (typeof item === "number" && Number.isFinite(item) && !Object.is(item, -0)) continue;
    path.push(String(i));
    if (!isPlain(item, path, marks)) return false;
    path.pop();
  }
  return true;
}

function mark(type: Mark["type"], path: readonly string[], marks: Mark[]): void {
  marks.push({ path: [...path], type });
}

/** A copy with texts in place of the numbers and bigints that JSON has no form for. */
function asJson(value: unknown): unknown {
  if (typeof value === "number") {
    if (Number.isFinite(value) && !Object.is(value, -0)) return value;
    return Object.is(value, -0) ? "-0" : String(value);
  }
  if (typeof value === "bigint") return String(value);
  if (value === undefined) return null;
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
