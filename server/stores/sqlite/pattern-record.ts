import type { Emotives } from "@kato-rpc/shared/observation.ts";
import type { StoredPattern } from "../../engine/node-change.ts";
import type { PatternMetadata } from "../../engine/pattern-metadata.ts";
import type { BornPattern, PatternRow } from "../node-store.ts";
import { metadataPairs, readPatternRow } from "../pattern-row.ts";
import type { MemoryRow, MemoryStatements } from "./memory-statements.ts";

/** A row of `patterns`. */
export type PatternRecord = {
  hash: string;
  born: number;
  frequency: number;
  eventsJson: string;
  emotivesJson: string;
  metadataJson: string;
};

export function rowOfRecord(record: PatternRecord): PatternRow {
  const { hash, born, frequency, eventsJson, emotivesJson, metadataJson } = record;
  return [hash, born, frequency, eventsJson, emotivesJson, metadataJson];
}

export function findStoredPattern(
  db: MemoryStatements,
  { contents }: MemoryRow,
  hash: string,
): BornPattern | undefined {
  const record = db.pattern.get(contents, hash) as PatternRecord | undefined;
  return record === undefined ? undefined : readPatternRow(rowOfRecord(record));
}

/** Writes what may change of a pattern. */
export function updatePattern(
  db: MemoryStatements,
  { contents }: MemoryRow,
  pattern: StoredPattern & { born: number },
): void {
  const { born, frequency } = pattern;
  db.updatePattern.run({ contents, born, frequency, ...textsOf(pattern) });
}

/** Emotives and metadata as their columns hold them. */
export function textsOf({
  emotives,
  metadata,
}: {
  emotives: readonly Emotives[];
  metadata: PatternMetadata;
}): Pick<PatternRecord, "emotivesJson" | "metadataJson"> {
  return {
    emotivesJson: textOf(emotives),
    metadataJson: textOf(metadataPairs(metadata)),
  };
}

function textOf(list: readonly unknown[]): string {
  return list.length === 0 ? "" : JSON.stringify(list);
}
