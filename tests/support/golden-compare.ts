import { ServiceError } from "@kato-rpc/shared/errors.ts";

/** Comparison rules of the golden cases. Every function throws an error that says where and what. */

export class GoldenMismatch extends Error {
  override readonly name = "GoldenMismatch";
}

function mismatch(path: string, expected: unknown, actual: unknown): never {
  const show = (value: unknown): string => JSON.stringify(value)?.slice(0, 300) ?? "undefined";
  throw new GoldenMismatch(`${path}: expected ${show(expected)}, got ${show(actual)}`);
}

export function numbersEqual(a: number, b: number): boolean {
  return a === b || Math.abs(a - b) <= Math.max(1e-12, 1e-9 * Math.max(Math.abs(a), Math.abs(b)));
}

/** Numbers by tolerance, lists in order, the keys of `expected` in objects, all else exactly. */
export function compareValue(path: string, expected: unknown, actual: unknown): void {
  if (typeof expected === "number") {
    if (typeof actual !== "number" || !numbersEqual(expected, actual)) {
      mismatch(path, expected, actual);
    }
  } else if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) {
      mismatch(path, expected, actual);
    }
    for (const [index, item] of expected.entries()) {
      compareValue(`${path}[${index}]`, item, actual[index]);
    }
  } else if (typeof expected === "object" && expected !== null) {
    if (typeof actual !== "object" || actual === null) mismatch(path, expected, actual);
    for (const [key, value] of Object.entries(expected)) {
      if (!Object.hasOwn(actual, key)) mismatch(`${path}.${key}`, value, undefined);
      compareValue(`${path}.${key}`, value, (actual as Record<string, unknown>)[key]);
    }
  } else if (expected !== actual) {
    mismatch(path, expected, actual);
  }
}

/** As `compareValue`, but `actual` may have no other keys: for maps whose keys users choose. */
export function compareMap(path: string, expected: object, actual: object): void {
  const [expectedKeys, actualKeys] = [Object.keys(expected).sort(), Object.keys(actual).sort()];
  if (expectedKeys.join("\0") !== actualKeys.join("\0")) mismatch(path, expectedKeys, actualKeys);
  compareValue(path, expected, actual);
}

/** `some_field` as `someField`, in every object outside maps whose keys users choose. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export function camelKeys(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [camelCase(key), value]));
}

export type Fields = Record<string, unknown>;

/** Predictions or other fields by name, each compared whole; both lists have the same names. */
export function compareByName(
  path: string,
  expected: readonly Fields[],
  actual: readonly Fields[],
): void {
  const byName = new Map(actual.map((item) => [item["name"], item]));
  if (byName.size !== actual.length) mismatch(path, "distinct names", names(actual));
  if (actual.length !== expected.length) mismatch(path, names(expected), names(actual));
  for (const item of expected) compareNamed(path, item, byName.get(item["name"]));
}

export function compareNamed(path: string, expected: Fields, actual: Fields | undefined): void {
  const place = `${path} ${String(expected["name"])}`;
  if (actual === undefined) mismatch(place, expected, actual);
  const { emotives, ...fields } = expected;
  compareValue(place, fields, actual);
  if (emotives !== undefined) {
    compareMap(`${place}.emotives`, emotives as object, actual["emotives"] as object);
  }
}

export function names(items: readonly Fields[]): unknown[] {
  return items.map((item) => item["name"]);
}

export function requireDescending(path: string, values: readonly unknown[]): void {
  const keys = values.map((value) => (typeof value === "number" ? value : -Infinity));
  for (const [index, key] of keys.entries()) {
    const before = keys[index - 1] ?? Infinity;
    if (key > before && !numbersEqual(key, before)) mismatch(`${path}[${index}]`, before, key);
  }
}

/** The call must be refused as a bad request. */
export async function expectRefusal(path: string, call: () => Promise<unknown>): Promise<void> {
  let answer: unknown;
  try {
    answer = await call();
  } catch (error) {
    const code: unknown = error instanceof ServiceError ? error.code : Object(error).code;
    if (code === "INVALID_INPUT" || code === "VECTOR_DIMENSION_MISMATCH") return;
    throw error;
  }
  mismatch(path, "a refusal", answer);
}
