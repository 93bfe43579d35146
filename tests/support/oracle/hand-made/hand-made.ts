import type { WireRequest } from "../../wire.ts";
import type { PreparedStore } from "../prepared-store.ts";

/** A request by its description, and the names of the differences that occur in its answer. */
export type HandMade = [
  description: string,
  request: (prepared: PreparedStore) => WireRequest,
  ...differences: string[],
];

/** Told by the caller, so that it is the same on both sides. */
const REQUEST_ID = { "x-request-id": "asked" };
export const JSON_TYPE = { "content-type": "application/json" };

/** `input`: the text of the parameter. */
export function get(
  path: string,
  input?: string,
  headers: Record<string, string> = {},
): WireRequest {
  const mark = path.includes("?") ? "&" : "?";
  const query = input === undefined ? "" : `${mark}input=${encodeURIComponent(input)}`;
  return { path: `/trpc/${path}${query}`, headers: { ...REQUEST_ID, ...headers } };
}

export function post(
  path: string,
  body: string | Buffer | undefined,
  headers: Record<string, string> = JSON_TYPE,
): WireRequest {
  return { method: "POST", path: `/trpc/${path}`, headers: { ...REQUEST_ID, ...headers }, body };
}

/** A session as the whole input of a call. */
export function sessionOf(sessionId: string) {
  return { json: { sessionId } };
}

export function observeOf(sessionId: string, more: object = {}) {
  return { json: { sessionId, strings: ["x"], ...more } };
}

/** The inputs of a batch by position; one that is undefined is left out. */
export function batchOf(...inputs: unknown[]): string {
  return JSON.stringify(Object.fromEntries(inputs.map((input, i) => [i, input])));
}

/** As `get` and `post`, with a value in place of its text. */
export function getWith(path: string, input: unknown): WireRequest {
  return get(path, input === undefined ? undefined : JSON.stringify(input));
}

export function postWith(path: string, body: unknown): WireRequest {
  return post(path, body === undefined ? undefined : JSON.stringify(body));
}
