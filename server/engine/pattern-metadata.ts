import type { Metadata } from "@kato-rpc/shared/observation.ts";

import { valueText } from "./python-text.ts";
import { sortSymbols } from "./symbol-order.ts";

/** Per key the distinct texts of its values in code point order. Without prototype: users choose the keys. */
export type PatternMetadata = Record<string, string[]>;

/** What a learn stores of the metadata gathered by its session (engine.md §7.4). No maps, no keys. */
export function mergeMetadata(maps: readonly Metadata[]): PatternMetadata {
  const texts = new Map<string, string[]>();
  for (const map of maps) {
    for (const [key, value] of Object.entries(map)) {
      const list = texts.get(key);
      if (list === undefined) texts.set(key, [valueText(value)]);
      else list.push(valueText(value));
    }
  }
  return asMetadata(texts);
}

/** Stored metadata after a relearn: per key the union of both (engine.md §7.2). Commutative and idempotent. */
export function uniteMetadata(stored: PatternMetadata, added: PatternMetadata): PatternMetadata {
  const texts = new Map(Object.entries(stored));
  for (const [key, values] of Object.entries(added)) {
    texts.set(key, [...(texts.get(key) ?? []), ...values]);
  }
  return asMetadata(texts);
}

/** Metadata from keys with one text each, in any order; equal pairs count once. */
export function metadataOfPairs(
  pairs: Iterable<readonly [key: string, text: string]>,
): PatternMetadata {
  const texts = new Map<string, string[]>();
  for (const [key, text] of pairs) texts.set(key, [...(texts.get(key) ?? []), text]);
  return asMetadata(texts);
}

function asMetadata(texts: ReadonlyMap<string, readonly string[]>): PatternMetadata {
  const metadata: PatternMetadata = Object.create(null);
  for (const [key, values] of texts) metadata[key] = sortSymbols([...new Set(values)]);
  return metadata;
}
