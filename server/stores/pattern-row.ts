import type { Emotives, Event } from "@kato-rpc/shared/observation.ts";
import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import type { PatternMetadata } from "../engine/pattern-metadata.ts";
import { metadataOfPairs } from "../engine/pattern-metadata.ts";
import type { BornPattern, PatternRow } from "./node-store.ts";

export function readPatternRow(row: PatternRow): BornPattern {
  const [hash, born, frequency, events, emotives, metadata] = row;
  return {
    hash,
    born,
    frequency,
    events: parseJson(events) as Event[],
    emotives: emotives === "" ? [] : (parseJson(emotives) as Emotives[]),
    metadata: metadataOfPairs(metadata === "" ? [] : (parseJson(metadata) as [string, string][])),
  };
}

/** As kept in a row, without the JSON around it: every key with each of its texts. */
export function metadataPairs(metadata: PatternMetadata): [key: string, text: string][] {
  return Object.entries(metadata).flatMap(([key, texts]) =>
    texts.map((text): [string, string] => [key, text]),
  );
}
