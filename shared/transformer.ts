import { SuperJSON } from "superjson";
import { ServiceError } from "./errors.ts";

/** Superjson's wire form: plain JSON, and in `meta.values` a type for each path that is more than JSON. */
export type Envelope = { json: unknown; meta?: { values?: unknown; v?: number } };

const superjson = new SuperJSON();

/**
 * The one transformer of both ends. It writes and reads superjson's format, but plain JSON passes
 * as it is (superjson copies it at 18 to 36 times the cost of `JSON.stringify`) and any key may
 * occur (superjson refuses `__proto__`, `constructor` and `prototype`). Dates are noted by path.
 * Everything rarer (NaN, -0, Map, bigint, class instances) is left to superjson itself.
 */
export const transformer = {
  serialize(value: unknown): Envelope {
    const dates: string[][] = [];
    if (!isJsonWithDates(value, [], dates)) return superjson.serialize(value);
    if (dates.length === 0) return { json: value };
    if (dates[0]?.length === 0) return { json: value, meta: { values: ["Date"], v: 1 } };
    return { json: value, meta: { values: dateAnnotations(dates), v: 1 } };
  },

  /** @throws ServiceError INVALID_INPUT when the payload is not an envelope or its `meta` is broken. */
  deserialize(payload: unknown): unknown {
    if (payload === undefined) return undefined;
    if (typeof payload !== "object" || payload === null || Array.isArray(payload))
      throw noEnvelope();
    const { json, meta } = payload as Envelope;
    if (meta === undefined) {
      if (json === undefined && Object.keys(payload).length > 0) throw noEnvelope();
      return json;
    }
    try {
      return superjson.deserialize({ json, meta } as never, { inPlace: true });
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

/** Whether JSON.stringify writes `value` faithfully; collects the paths of its Dates (which it writes as ISO text). */
function isJsonWithDates(value: unknown, path: string[], dates: string[][]): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object":
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (Array.isArray(value)) return isJsonArray(value, path, dates);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    const record = value as Record<string, unknown>;
    for (const key in record) {
      const item = record[key];
      if (typeof item === "string") continue;
      path.push(key);
      if (!isJsonWithDates(item, path, dates)) return false;
      path.pop();
    }
    return true;
  }
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) return false;
  dates.push([...path]);
  return true;
}

function isJsonArray(items: readonly unknown[], path: string[], dates: string[][]): boolean {
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (typeof item === "string") continue;
    if (item === undefined) return false;
    if (typeof item === "number") {
      if (!Number.isFinite(item) || Object.is(item, -0)) return false;
      continue;
    }
    path.push(String(i));
    if (!isJsonWithDates(item, path, dates)) return false;
    path.pop();
  }
  return true;
}

function dateAnnotations(dates: readonly string[][]): Record<string, [string]> {
  const annotations: Record<string, [string]> = Object.create(null);
  for (const path of dates) {
    const escaped = path.map((key) => key.replaceAll("\\", "\\\\").replaceAll(".", "\\."));
    annotations[escaped.join(".")] = ["Date"];
  }
  return annotations;
}
