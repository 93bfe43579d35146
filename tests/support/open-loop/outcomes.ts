import type { Answered } from "./connection.ts";

/**
 * What became of a call: "ok", REFUSED (at the door, with its whole request), REFUSED_BESIDE (at the door, but told
 * together with calls of its request that had to run or to wait first), WAITED_TOO_LONG (it gave its place in the line
 * up at its deadline), the code of another error, or CONNECTION_BROKEN.
 */
export type Outcome = string;

export const REFUSED = "REFUSED";
export const REFUSED_BESIDE = "REFUSED_BESIDE";
export const WAITED_TOO_LONG = "WAITED_TOO_LONG";

const ERROR = /"error":\{"json":\{"message":"((?:[^"\\]|\\.)*)".*?"kato":"([A-Z_]+)"/g;

/** Of each call of a request, successes first. */
export function outcomesOf(answered: Answered | undefined, calls: number): Outcome[] {
  if (answered === undefined) return Array<Outcome>(calls).fill("CONNECTION_BROKEN");
  if (answered.status === 200) return Array<Outcome>(calls).fill("ok");
  const errors = Array.from(answered.body.matchAll(ERROR), ([, message = "", code = ""]) => {
    if (code !== "OVERLOADED") return code;
    return message.includes("waited too long") ? WAITED_TOO_LONG : REFUSED;
  });
  const isWhole = errors.length === calls && errors.every((outcome) => outcome === REFUSED);
  const refused = isWhole ? REFUSED : REFUSED_BESIDE;
  return [
    ...Array<Outcome>(calls - errors.length).fill("ok"),
    ...errors.map((outcome) => (outcome === REFUSED ? refused : outcome)),
  ];
}
