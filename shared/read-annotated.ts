/**
 * Reads what superjson writes, with three differences that an open service needs. Every step of a
 * path must lead to an own property, so any key is safe. Only the types below are known: building
 * typed arrays or running through maps can cost minutes for a request of a few kilobytes. Values
 * shared by reference are read as the copies that stand in their places, for sharing can make a
 * small request an enormous tree. Linear in the size of the envelope; changes `json` in place.
 *
 * @throws Error when the annotations do not fit
 */
export function readAnnotated(json: unknown, meta: unknown): unknown {
  if (!isObject(meta)) throw new Error("`meta` is not an object");
  const { values, v = 0 } = meta as { values?: unknown; v?: unknown };
  const root = { json };
  if (values !== undefined) readAt({ holder: root, key: "json" }, values, Number(v) >= 1);
  return root.json;
}

/** Reading digits costs their number squared. */
const BIGINT_CHARACTERS = 1_000;

/** Where a value stands; `key` is an own property of `holder`. */
type Place = { holder: object; key: string };

/** Annotations are `{ path: annotations, … }` for what is within, or `[type, { path: … }?]` for the value too. */
function readAt(place: Place, annotations: unknown, escapes: boolean): void {
  const [type, within] = Array.isArray(annotations)
    ? (annotations as unknown[])
    : [undefined, annotations];
  if (within !== undefined) {
    if (!isObject(within)) throw new Error("annotations are not an object");
    for (const [path, inner] of Object.entries(within)) {
      readAt(placeAt(place, splitPath(path, escapes)), inner, escapes);
    }
  }
  if (type !== undefined) set(place, readAs(type, get(place)));
}

function placeAt(from: Place, path: readonly string[]): Place {
  let place = from;
  for (const key of path) {
    const holder = get(place);
    const isIndex = !Array.isArray(holder) || /^\d+$/.test(key);
    if (!isObject(holder) || !isIndex || !Object.hasOwn(holder, key)) {
      throw new Error("a path leads nowhere");
    }
    place = { holder, key };
  }
  return place;
}

/** Keys are joined by dots; within them `\.` is a dot and, since version 1 of the format, `\\` a backslash. */
function splitPath(path: string, escapes: boolean): string[] {
  if (!path.includes("\\")) return path.split(".");
  const keys = [""];
  for (const [token] of path.matchAll(escapes ? /\\[\\.]|[^]/g : /\\\.|[^]/g)) {
    if (token === ".") keys.push("");
    else keys[keys.length - 1] += token.length === 2 ? token.slice(1) : token;
  }
  return keys;
}

function readAs(type: unknown, value: unknown): unknown {
  if (type === "undefined") return undefined;
  if (typeof value === "string") {
    if (type === "Date") return new Date(value);
    if (type === "number") return Number(value);
    if (type === "bigint" && value.length <= BIGINT_CHARACTERS) return BigInt(value);
  }
  if (Array.isArray(value)) {
    if (type === "set") return new Set(value);
    if (type === "map") return new Map(value as [unknown, unknown][]);
  }
  throw new Error("a type is unknown, or does not fit its value");
}

function get({ holder, key }: Place): unknown {
  return (holder as Record<string, unknown>)[key];
}

/** Assigning to an own property never reaches a prototype's setter, whatever its name. */
function set({ holder, key }: Place, value: unknown): void {
  (holder as Record<string, unknown>)[key] = value;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
