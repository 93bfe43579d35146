import * as fc from "fast-check";
import type { Procedure, WireRequest } from "../wire.ts";
import { PROCEDURES, rpcRequest } from "../wire.ts";
import type { PreparedStore } from "./prepared-store.ts";
import type { RandomCall } from "./random-calls.ts";
import { randomCall } from "./random-calls.ts";

const NAMES = Object.keys(PROCEDURES) as Procedure[];
const QUERIES = NAMES.filter((name) => PROCEDURES[name] === "query");
const MUTATIONS = NAMES.filter((name) => PROCEDURES[name] === "mutation");

const IN_URLS = ["%22", "%7B", "%FF", "&batch=1", "&input=1", ...Array.from("/.,?&=%;[]{}x1")];
const IN_BODIES = ["", "null", "\u0000", "\uFEFF", ...Array.from('{}[]",:1\\ ')];

/** Requests to a prepared store: whole ones, of which some call succeeds as often as not, and damaged ones. */
export function randomRequest(prepared: PreparedStore): fc.Arbitrary<WireRequest> {
  const query = randomCall(prepared, QUERIES);
  const mutation = randomCall(prepared, MUTATIONS);
  const any = randomCall(prepared, NAMES);
  const request = fc.oneof(
    { weight: 4, arbitrary: single(query, "query") },
    { weight: 4, arbitrary: single(mutation, "mutation") },
    { weight: 4, arbitrary: batch(query, "query") },
    { weight: 6, arbitrary: batch(mutation, "mutation") },
    { weight: 1, arbitrary: batch(any, "mutation") },
    { weight: 1, arbitrary: single(any, "query") },
  );
  const whole = fc.tuple(request, headers()).map(([request, headers]) => ({ ...request, headers }));
  return fc
    .oneof({ weight: 4, arbitrary: whole }, { weight: 1, arbitrary: damaged(whole) })
    .filter((request) => !hasEscapedKey(request));
}

function single(call: fc.Arbitrary<RandomCall>, kind: "query" | "mutation") {
  return call.map(({ name, envelope }) => rpcRequest(kind, name, envelope));
}

function batch(call: fc.Arbitrary<RandomCall>, kind: "query" | "mutation") {
  const calls = fc.array(call, { minLength: 1, maxLength: 6 });
  const inputsOf = (calls: readonly RandomCall[]): fc.Arbitrary<unknown> =>
    fc.oneof(
      {
        weight: 20,
        arbitrary: fc.constant(Object.fromEntries(calls.map(({ envelope }, i) => [i, envelope]))),
      },
      { weight: 1, arbitrary: fc.constant(calls.map(({ envelope }) => envelope)) },
      { weight: 1, arbitrary: fc.jsonValue() },
    );
  return calls.chain((calls) => {
    const names = calls.map(({ name }) => name).join(",");
    return inputsOf(calls).map((inputs) => rpcRequest(kind, `${names}?batch=1`, inputs));
  });
}

function headers(): fc.Arbitrary<Record<string, string>> {
  const type = fc.oneof(
    { weight: 30, arbitrary: fc.constant("application/json") },
    {
      weight: 1,
      arbitrary: fc.constantFrom("text/plain", "application/json;x", "multipart/form-data", "?"),
    },
  );
  const form = fc.oneof(
    { weight: 10, arbitrary: fc.constant("*/*") },
    { weight: 1, arbitrary: fc.constant("application/jsonl") },
  );
  return fc.record({ "x-request-id": fc.constant("asked"), "content-type": type, accept: form });
}

/** With something put in place of a part of the URL or the body, or by another method. */
function damaged(request: fc.Arbitrary<WireRequest>): fc.Arbitrary<WireRequest> {
  const place = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), length: fc.nat(9) });
  const inUrl = fc.constantFrom(...IN_URLS);
  const inBody = fc.constantFrom(...IN_BODIES);
  const method = fc.constantFrom("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS");
  return fc.oneof(
    fc.tuple(request, place, inUrl).map(([request, place, put]) => ({
      ...request,
      path: `/trpc/${replaced(request.path.slice("/trpc/".length), place, put)}`,
    })),
    fc.tuple(request, place, inBody).map(([request, place, put]) => ({
      ...request,
      body: replaced(String(request.body ?? ""), place, put),
    })),
    fc.tuple(request, method).map(([request, method]) => ({ ...request, method })),
  );
}

function replaced(text: string, place: { at: number; length: number }, put: string): string {
  const start = Math.floor(place.at * text.length);
  return text.slice(0, start) + put + text.slice(start + place.length);
}

/**
 * V8 reads keys with escapes wrongly once it has read certain others (nodejs/node#63785): the dispatch reads them by
 * other means, the adapter does not.
 */
function hasEscapedKey({ path, body }: WireRequest): boolean {
  const escapedKey = /"(?:[^"\\]|\\.)*\\.(?:[^"\\]|\\.)*"\s*:/s;
  const input = new URLSearchParams(path.split("?")[1]).get("input") ?? "";
  return escapedKey.test(String(body)) || escapedKey.test(input);
}
