/** SHA-1 hashes of 40 hex digits as five unsigned words each, one after another in an array. */
export const WORDS_PER_HASH = 5;

const DIGITS_PER_WORD = 8;

export function writeHash(words: Uint32Array, slot: number, hash: string): void {
  for (let i = 0; i < WORDS_PER_HASH; i += 1) {
    const digits = hash.slice(i * DIGITS_PER_WORD, (i + 1) * DIGITS_PER_WORD);
    words[slot * WORDS_PER_HASH + i] = Number.parseInt(digits, 16);
  }
}

/** Written anew by every call: the words, most significant byte first. */
const bytes = Buffer.alloc(WORDS_PER_HASH * 4);

export function readHash(words: Uint32Array, slot: number): string {
  for (let i = 0; i < WORDS_PER_HASH; i += 1) {
    const word = words[slot * WORDS_PER_HASH + i] ?? 0;
    bytes[i * 4] = word >>> 24;
    bytes[i * 4 + 1] = word >>> 16;
    bytes[i * 4 + 2] = word >>> 8;
    bytes[i * 4 + 3] = word;
  }
  return bytes.toString("hex");
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
