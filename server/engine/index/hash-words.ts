/** SHA-1 hashes of 40 hex digits as five unsigned words each, one after another in an array. */
export const WORDS_PER_HASH = 5;

const DIGITS_PER_WORD = 8;

export function writeHash(words: Uint32Array, slot: number, hash: string): void {
  for (let i = 0; i < WORDS_PER_HASH; i += 1) {
    const digits = hash.slice(i * DIGITS_PER_WORD, (i + 1) * DIGITS_PER_WORD);
    words[slot * WORDS_PER_HASH + i] = Number.parseInt(digits, 16);
  }
}

const HEX_DIGITS = Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));

/** Written anew by every call. */
const characters = Array.from({ length: WORDS_PER_HASH * DIGITS_PER_WORD }, () => 0);

export function readHash(words: Uint32Array, slot: number): string {
  let at = 0;
  for (let i = 0; i < WORDS_PER_HASH; i += 1) {
    const word = words[slot * WORDS_PER_HASH + i] ?? 0;
    for (let shift = 28; shift >= 0; shift -= 4) {
      characters[at] = HEX_DIGITS[(word >>> shift) & 0xf] ?? 0;
      at += 1;
    }
  }
  return String.fromCharCode(...characters);
}

/** Negative when the hash in `slot` sorts before the one in `other`, as their hex texts do; 0 for equal ones. */
export function compareHashes(words: Uint32Array, slot: number, other: number): number {
  for (let i = 0; i < WORDS_PER_HASH; i += 1) {
    const difference =
      (words[slot * WORDS_PER_HASH + i] ?? 0) - (words[other * WORDS_PER_HASH + i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
