import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { vectorText } from "@kato-rpc/server/engine/vector-text.ts";

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const anyVector = fc.array(fc.oneof(finite, fc.double({ min: -1000, max: 1000, noNaN: true })));

const BASE = 2n ** 1100n;

/** The exact value of a finite double, as a whole number of 2^-1100. */
function scaledExactly(value: number): bigint {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, Math.abs(value));
  const exponentBits = bits.getUint16(0) >> 4;
  const fractionBits = bits.getBigUint64(0) & 0xfffffffffffffn;
  const mantissa = exponentBits === 0 ? fractionBits : fractionBits | 0x10000000000000n;
  return mantissa << BigInt(Math.max(exponentBits, 1) - 1075 + 1100);
}

/** Positive `numerator / denominator` to the nearest whole number, ties to even. */
function divideToEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twiceRest = (numerator % denominator) * 2n;
  if (twiceRest === denominator) return quotient + (quotient % 2n);
  return twiceRest > denominator ? quotient + 1n : quotient;
}

/** One element to eight fraction digits, by whole-number arithmetic only. */
function roundNaively(value: number): string {
  const digits = divideToEven(scaledExactly(value) * 10n ** 8n, BASE)
    .toString()
    .padStart(9, "0");
  const fraction = digits.slice(-8).replace(/0+$/, "");
  return `[${value < 0 ? "-" : ""}${digits.slice(0, -8)}.${fraction}]`;
}

/** A whole number as mantissa and exponent, to eight fraction digits, by whole-number arithmetic only. */
function roundWholeNumberNaively(value: number): string {
  const exact = BigInt(value);
  let exponent = exact.toString().length - 1;
  let digits = divideToEven(exact * 10n ** 8n, 10n ** BigInt(exponent)).toString();
  if (digits.length > 9) {
    exponent += 1;
    digits = digits.slice(0, -1);
  }
  const fraction = digits.slice(1).replace(/0+$/, "");
  return `[${digits.slice(0, 1)}.${fraction}e+${exponent.toString().padStart(2, "0")}]`;
}

describe("the choice of form", () => {
  test.each([
    { vector: [99999999], text: "[99999999.]" },
    { vector: [1e8], text: "[1.e+08]" },
    { vector: [-1e8], text: "[-1.e+08]" },
    { vector: [0.0001], text: "[0.0001]" },
    { vector: [0.00009], text: "[9.e-05]" },
    { vector: [1, 1000], text: "[   1. 1000.]" },
    { vector: [1, 1000.0000000000001], text: "[1.e+00 1.e+03]" },
    { vector: [1e-310, 1e308], text: "[1.e-310 1.e+308]" },
    { vector: [0, 100000, -1000], text: "[     0. 100000.  -1000.]" },
  ])("writes $vector as $text", ({ vector, text }) => {
    expect(vectorText(vector)).toBe(text);
  });
});

describe("the positional form", () => {
  test.each([
    { vector: [], text: "[]" },
    { vector: [1, 2, 3], text: "[1. 2. 3.]" },
    { vector: [0.1, 0.2, 0.3], text: "[0.1 0.2 0.3]" },
    { vector: [0.5, -0.5], text: "[ 0.5 -0.5]" },
    { vector: [1 / 3, 2 / 3], text: "[0.33333333 0.66666667]" },
    { vector: [0, 0], text: "[0. 0.]" },
    { vector: [-0, 0], text: "[-0.  0.]" },
    { vector: [100], text: "[100.]" },
    { vector: [0.123456789012, 12.5], text: "[ 0.12345679 12.5       ]" },
    { vector: [1.000000004, 2.5], text: "[1.  2.5]" },
    { vector: [1.9999999999], text: "[2.]" },
  ])("writes $vector as $text", ({ vector, text }) => {
    expect(vectorText(vector)).toBe(text);
  });

  test.each([
    { vector: [0.001953125], text: "[0.00195312]" },
    { vector: [0.005859375], text: "[0.00585938]" },
    { vector: [-0.001953125, 0.005859375], text: "[-0.00195312  0.00585938]" },
  ])("rounds the tie in $vector to the even digit", ({ vector, text }) => {
    expect(vectorText(vector)).toBe(text);
  });

  test("rounds every element with more than eight fraction digits exactly", () => {
    const tie = fc.integer({ min: 0, max: 512 * 1000 }).map((half) => (2 * half + 1) / 512);
    const element = fc
      .oneof(tie, fc.double({ min: 0.0001, max: 1e8, maxExcluded: true, noNaN: true }))
      .filter((value) => (String(value).split(".")[1] ?? "").length > 8);

    fc.assert(
      fc.property(element, fc.boolean(), (magnitude, isNegative) => {
        const value = isNegative ? -magnitude : magnitude;
        expect(vectorText([value])).toBe(roundNaively(value));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the exponent form", () => {
  test.each([
    { vector: [1e-5, 1], text: "[1.e-05 1.e+00]" },
    { vector: [0, -0, 1e-5], text: "[ 0.e+00 -0.e+00  1.e-05]" },
    { vector: [1e100, -1e-100], text: "[ 1.e+100 -1.e-100]" },
    { vector: [1, 1e-100], text: "[1.e+000 1.e-100]" },
    { vector: [0.00012345, 0.5], text: "[1.2345e-04 5.0000e-01]" },
    { vector: [1.00000000001e-5], text: "[1.e-05]" },
    { vector: [9.9999999999e9, 1], text: "[1.e+10 1.e+00]" },
  ])("writes $vector as $text", ({ vector, text }) => {
    expect(vectorText(vector)).toBe(text);
  });

  test.each([
    { vector: [1234567885], text: "[1.23456788e+09]" },
    { vector: [1234567895], text: "[1.2345679e+09]" },
    { vector: [1000000005], text: "[1.e+09]" },
    { vector: [9999999995], text: "[1.e+10]" },
    { vector: [-1234567885e10], text: "[-1.23456788e+19]" },
  ])("rounds the tie in $vector to the even digit", ({ vector, text }) => {
    expect(vectorText(vector)).toBe(text);
  });

  test("rounds every whole number exactly", () => {
    const tie = fc
      .tuple(fc.integer({ min: 1e8, max: 1e9 - 1 }), fc.integer({ min: 0, max: 6 }))
      .map(([digits, zeros]) => (digits * 10 + 5) * 10 ** zeros);
    const wholeNumber = fc.oneof(
      tie,
      fc.integer({ min: 1e8, max: Number.MAX_SAFE_INTEGER }),
      fc.bigInt({ min: 10n ** 8n, max: 10n ** 300n }).map(Number),
    );

    fc.assert(
      fc.property(wholeNumber, (value) => {
        expect(vectorText([value])).toBe(roundWholeNumberNaively(value));
      }),
      { numRuns: 2000 },
    );
  });

  test("writes the digits a longer neighbour asks for even where a number has fewer to be told apart", () => {
    expect(vectorText([5e-324])).toBe("[5.e-324]");
    expect(vectorText([5e-324, 1.23456789e-5])).toBe("[4.94065646e-324 1.23456789e-005]");
  });
});

describe("the lines", () => {
  test("take fourteen words of four characters and wrap before the fifteenth", () => {
    const line = Array(14).fill("1.25").join(" ");

    expect(vectorText(Array(14).fill(1.25))).toBe(`[${line}]`);
    expect(vectorText(Array(15).fill(1.25))).toBe(`[${line}\n 1.25]`);
  });

  test("may be filled to the last character", () => {
    expect(vectorText(Array(1001).fill(1234.12345678))).toBe(
      "[1234.12345678 1234.12345678 1234.12345678 ... 1234.12345678 1234.12345678\n 1234.12345678]",
    );
  });

  test("lose trailing spaces except before the closing bracket", () => {
    const shortThenLong = [...Array(18).fill(1.5), 2.25, 1.5];

    expect(vectorText(shortThenLong)).toBe(
      `[${Array(14).fill("1.5").join("  ")}\n ${Array(4).fill("1.5").join("  ")}  2.25 1.5 ]`,
    );
  });

  test("stay within 75 characters and hold every element in order", () => {
    fc.assert(
      fc.property(anyVector, (vector) => {
        const text = vectorText(vector);

        const words = text
          .slice(1, -1)
          .split(/\s+/)
          .filter((word) => word !== "");
        expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(75);
        expect(words).toHaveLength(vector.length);
        for (const [index, word] of words.entries()) {
          const element = vector[index]!;
          const allowed = Math.max(Math.abs(element) * 5.01e-9, 5.01e-9);
          if (element !== 0) expect(Math.abs(Number(word) - element)).toBeLessThanOrEqual(allowed);
          else expect(Number(word)).toBe(element);
        }
      }),
    );
  });
});

describe("the abbreviation", () => {
  const ends = [0.5, -1, 0];

  test("begins beyond 1000 elements", () => {
    expect(vectorText(Array(1000).fill(1))).not.toContain("...");
    expect(vectorText(Array(1001).fill(1))).toBe("[1. 1. 1. ... 1. 1. 1.]");
  });

  test("leaves the form to the six elements it shows", () => {
    const vector = [...ends, 1e9, ...Array(996).fill(1e-9), 0, 0, 0.25];

    expect(vectorText(vector)).toBe("[ 0.5  -1.    0.   ...  0.    0.    0.25]");
  });
});
