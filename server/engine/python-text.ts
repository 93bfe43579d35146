import type { JsonValue } from "@kato-rpc/shared/observation.ts";

import { isPrintable } from "./unicode-13.ts";

/** Text forms of Python 3.10, which names and metadata are made of (engine.md §6.1 and §7.4). */

/** What needs quoting or escaping at all; most symbols have none of it. */
const NEEDS_CARE = /[^ !#-&(-[\]-~]/;

/** A list of lists of strings as Python prints it: `[['a'], ['b', "it's"]]`. */
export function eventsText(events: readonly (readonly string[])[]): string {
  return `[${events.map((event) => `[${event.map(quotedText).join(", ")}]`).join(", ")}]`;
}

/** A string in quotes: single ones, or double where it holds a single and no double. */
function quotedText(text: string): string {
  if (!NEEDS_CARE.test(text)) return `'${text}'`;

  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let quoted = quote;
  for (const character of text) quoted += escaped(character, quote);
  return quoted + quote;
}

const NAMED_ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
};

function escaped(character: string, quote: string): string {
  if (character === quote) return `\\${quote}`;
  const named = NAMED_ESCAPES[character];
  if (named !== undefined) return named;

  const codePoint = character.codePointAt(0) ?? 0;
  if (codePoint >= 0x20 && codePoint < 0x7f) return character;
  if (codePoint >= 0x80 && isPrintable(codePoint)) return character;
  const hex = codePoint.toString(16);
  if (codePoint <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return codePoint <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

/**
 * A JSON value as Python's `str()` writes it: a string is itself, one nested in a list or an object is quoted. A
 * number is taken as JavaScript holds it, so `1.0` is `1` and an integer beyond 2^53 has lost digits. A key
 * `__proto__` is an entry like any other.
 */
export function valueText(value: JsonValue): string {
  return typeof value === "string" ? value : nestedText(value);
}

function nestedText(value: JsonValue): string {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return quotedText(value);
  if (typeof value === "number") return numberText(value);
  if (Array.isArray(value)) return `[${value.map(nestedText).join(", ")}]`;

  const entries = Object.entries(value);
  return `{${entries.map(([key, item]) => `${quotedText(key)}: ${nestedText(item)}`).join(", ")}}`;
}

/** Integers in digits while JavaScript has them so, others positional for exponents −4 to 15, else as `1.5e-07`. */
function numberText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);

  const [mantissa = "", exponentText = ""] = value.toExponential().split("e");
  const exponent = Number(exponentText);
  // From 1e-6 on, JavaScript's shortest text is positional too.
  if (exponent >= -4 && exponent < 16) return String(value);
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
