import type { Emotives } from "@kato-rpc/shared/observation.ts";

import type { PatternMetadata } from "../pattern-metadata.ts";

/**
 * What small things take on the heap of Node 26, in bytes, fitted to a hundred thousand of each: within a tenth for
 * emotives and metadata as they are usual, less exact where every pattern has names of its own.
 */

/** A key and a value in a Map, without what they refer to. */
export const BYTES_PER_ENTRY = 40;

const BYTES_PER_LIST = 56;
const BYTES_PER_ITEM = 8;
/** An object as JSON.parse makes it, and a number in it with its place. */
const BYTES_PER_OBJECT = 24;
const BYTES_PER_NUMBER = 24;
/** An object without prototype, and a key in it. */
const BYTES_PER_DICTIONARY = 150;
const BYTES_PER_KEY = 52;
const BYTES_PER_TEXT = 20;

/** Beyond Latin-1 every character of a text takes two bytes. */
const WIDE = /[\u0100-\uffff]/;

export function textBytes(text: string): number {
  return BYTES_PER_TEXT + text.length * (WIDE.test(text) ? 2 : 1);
}

export function emotivesBytes(maps: readonly Emotives[]): number {
  let bytes = BYTES_PER_LIST;
  for (const map of maps) {
    bytes += BYTES_PER_ITEM + BYTES_PER_OBJECT + Object.keys(map).length * BYTES_PER_NUMBER;
  }
  return bytes;
}

export function affinityBytes(sums: Emotives): number {
  return BYTES_PER_DICTIONARY + Object.keys(sums).length * BYTES_PER_KEY;
}

export function metadataBytes(metadata: PatternMetadata): number {
  let bytes = BYTES_PER_DICTIONARY;
  for (const texts of Object.values(metadata)) {
    bytes += BYTES_PER_KEY + BYTES_PER_LIST;
    for (const text of texts) bytes += BYTES_PER_ITEM + textBytes(text);
  }
  return bytes;
}
