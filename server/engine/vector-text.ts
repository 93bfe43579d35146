/** A decimal written out, cut at its point; the sign belongs to the integer. */
interface Decimal {
  integer: string;
  fraction: string;
}

interface Scientific extends Decimal {
  exponentSign: string;
  exponentDigits: string;
}

const MAX_FRACTION_DIGITS = 8;
const MAX_SHOWN = 1000;
const SHOWN_AT_EACH_END = 3;
const LINE_WIDTH = 74;

/**
 * The text a vector's name is made from (engine.md §4.1): `[ 0.5 -0.5]`, `[1.e-05 1.e+00]`, wrapped into lines. It is rounded to eight
 * fraction digits, and beyond 1000 elements only three at each end are shown and decide the format, so different
 * vectors may share a text. Elements must be finite; `[]` for the empty vector.
 */
export function vectorText(vector: readonly number[]): string {
  if (vector.length <= MAX_SHOWN) return bracketed(formatWords(vector));

  const ends = [...vector.slice(0, SHOWN_AT_EACH_END), ...vector.slice(-SHOWN_AT_EACH_END)];
  return bracketed(formatWords(ends).toSpliced(SHOWN_AT_EACH_END, 0, "..."));
}

function formatWords(elements: readonly number[]): string[] {
  return needsExponent(elements) ? exponentWords(elements) : positionalWords(elements);
}

function needsExponent(elements: readonly number[]): boolean {
  const magnitudes = elements.filter((element) => element !== 0).map(Math.abs);
  // Without magnitudes these are infinite the wrong way round, and every comparison is false.
  const largest = Math.max(...magnitudes);
  const smallest = Math.min(...magnitudes);
  return largest >= 1e8 || smallest < 1e-4 || largest / smallest > 1000;
}

function positionalWords(elements: readonly number[]): string[] {
  const decimals = elements.map(positional);
  const integerWidth = longest(decimals.map(({ integer }) => integer));
  const fractionWidth = longest(decimals.map(({ fraction }) => fraction));

  return decimals.map(
    ({ integer, fraction }) =>
      `${integer.padStart(integerWidth)}.${fraction.padEnd(fractionWidth)}`,
  );
}

/** Needs 1e-4 ≤ |element| < 1e8, or zero: there the shortest text has no exponent. */
function positional(element: number): Decimal {
  const magnitude = Math.abs(element);
  const { integer, fraction } = splitAtPoint(String(magnitude));
  if (fraction.length <= MAX_FRACTION_DIGITS) {
    return { integer: signOf(element) + integer, fraction };
  }

  const rounded = splitAtPoint(
    roundToEven((digits) => magnitude.toFixed(digits), MAX_FRACTION_DIGITS),
  );
  return {
    integer: signOf(element) + rounded.integer,
    fraction: withoutTrailingZeros(rounded.fraction),
  };
}

function exponentWords(elements: readonly number[]): string[] {
  const fractionDigits = Math.max(...elements.map(scientificFractionLength));
  const numbers = elements.map((element) => scientific(element, fractionDigits));
  const integerWidth = longest(numbers.map(({ integer }) => integer));
  const exponentWidth = Math.max(2, longest(numbers.map(({ exponentDigits }) => exponentDigits)));

  return numbers.map(({ integer, fraction, exponentSign, exponentDigits }) => {
    const exponent = exponentSign + exponentDigits.padStart(exponentWidth, "0");
    return `${integer.padStart(integerWidth)}.${fraction}e${exponent}`;
  });
}

/** Fraction digits of the shortest mantissa that reads back as the element, or of one rounded to eight. */
function scientificFractionLength(element: number): number {
  const { fraction } = splitAtPoint(splitAtExponent(element.toExponential()).mantissa);
  if (fraction.length <= MAX_FRACTION_DIGITS) return fraction.length;

  return withoutTrailingZeros(scientific(element, MAX_FRACTION_DIGITS).fraction).length;
}

function scientific(element: number, fractionDigits: number): Scientific {
  const magnitude = Math.abs(element);
  const { exponent } = splitAtExponent(magnitude.toExponential(fractionDigits));
  const mantissa = roundToEven(
    (digits) => splitAtExponent(magnitude.toExponential(digits)).mantissa,
    fractionDigits,
  );
  const { integer, fraction } = splitAtPoint(mantissa);

  return {
    integer: signOf(element) + integer,
    fraction,
    exponentSign: exponent.slice(0, 1),
    exponentDigits: exponent.slice(1),
  };
}

/**
 * A number as `write` rounds it, except that a tie, which `toFixed` and `toExponential` round up, goes to the even
 * digit. Only an odd last digit shows that, so there is never a borrow. A hundred digits tell a tie for certain: where
 * they are not the whole expansion, the number is nowhere near one.
 */
function roundToEven(write: (fractionDigits: number) => string, fractionDigits: number): string {
  const rounded = write(fractionDigits);
  const lastDigit = Number(rounded.at(-1));
  if (lastDigit % 2 === 0) return rounded;

  const exact = write(100);
  const dropped = exact.slice(exact.indexOf(".") + 1 + fractionDigits);
  return /^50*$/.test(dropped) ? rounded.slice(0, -1) + String(lastDigit - 1) : rounded;
}

function splitAtExponent(text: string): { mantissa: string; exponent: string } {
  const [mantissa = "", exponent = ""] = text.split("e");
  return { mantissa, exponent };
}

function splitAtPoint(decimal: string): Decimal {
  const [integer = "", fraction = ""] = decimal.split(".");
  return { integer, fraction };
}

function withoutTrailingZeros(fraction: string): string {
  return fraction.replace(/0+$/, "");
}

function signOf(element: number): string {
  return element < 0 || Object.is(element, -0) ? "-" : "";
}

function longest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => text.length));
}

/** Every line begins with one space, the first of which becomes the bracket. No word fills a line by itself. */
function bracketed(words: readonly string[]): string {
  const lines: string[] = [];
  let line = " ";
  for (const [index, word] of words.entries()) {
    if (line.length + word.length > LINE_WIDTH) {
      lines.push(line.trimEnd());
      line = " ";
    }
    line += index < words.length - 1 ? `${word} ` : word;
  }
  lines.push(line);

  return `[${lines.join("\n").slice(1)}]`;
}
