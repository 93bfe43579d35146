import type { Answered } from "./connection.ts";

/** What became of each call of a request, successes first: "ok", an error's code, or CONNECTION_BROKEN. */
export function outcomesOf(answered: Answered | undefined, calls: number): string[] {
  if (answered === undefined) return Array<string>(calls).fill("CONNECTION_BROKEN");
  const codes = Array.from(answered.body.matchAll(/"kato":"([A-Z_]+)"/g), ([, code = ""]) => code);
  return [...Array<string>(calls - codes.length).fill("ok"), ...codes];
}
