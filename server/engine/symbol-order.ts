const FIRST_SURROGATE = 0xd800;

/**
 * engine.md §3.1: negative, zero or positive as `a` sorts before, with or after `b` by Unicode code points; a prefix sorts first.
 * The built-in order compares UTF-16 units, which puts every character beyond U+FFFF before U+E000–U+FFFF.
 */
export function compareCodePoints(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  let at = 0;
  while (at < shorter && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  if (at === shorter) return a.length - b.length;

  const unitA = a.charCodeAt(at);
  const unitB = b.charCodeAt(at);
  if (unitA < FIRST_SURROGATE || unitB < FIRST_SURROGATE) return unitA - unitB;

  // The units may differ in the second half of a pair: the character then starts one unit earlier.
  const start = at > 0 && isHighSurrogate(a.charCodeAt(at - 1)) ? at - 1 : at;
  return codePointAt(a, start) - codePointAt(b, start) || codePointAt(a, at) - codePointAt(b, at);
}

/** A copy in code point order; duplicates stay. */
export function sortSymbols(symbols: readonly string[]): string[] {
  return symbols.toSorted(compareCodePoints);
}

function isHighSurrogate(unit: number): boolean {
  return unit >= FIRST_SURROGATE && unit < 0xdc00;
}

function codePointAt(text: string, index: number): number {
  return text.codePointAt(index) ?? -1;
}
