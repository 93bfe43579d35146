import type { Emotives } from "@kato-rpc/shared/observation.ts";
import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import type { LogPosition, PatternRow, SymbolRow } from "../node-store.ts";
import { LOG_START, logNumber } from "../node-store.ts";

type Lines = string | null;

/** What list-patterns.lua and find-pattern.lua give; null as position where the log is empty. */
export type PatternColumns = [
  position: LogPosition | null,
  names: string[],
  births: string[],
  events: string[],
  frequencies: string[],
  emotives: Lines[],
  metadata: Lines[],
];

/** What the scripts about symbols give; null where nothing is known. */
export type SymbolColumns = [
  symbols: string[],
  frequencies: (string | null)[],
  members: (string | null)[],
  affinities: Lines[],
];

export function numberAt(position: LogPosition | null): number {
  return logNumber(position ?? LOG_START);
}

/** As many as there are births. */
export function readPatternColumns(columns: PatternColumns): PatternRow[] {
  const [, names, births, events, frequencies, emotives, metadata] = columns;
  return births.map((born, i) => [
    names[i] as string, // Every column but that of names is as long as that of births.
    Number(born),
    Number(frequencies[i]),
    events[i] as string,
    jsonOfLines(emotives[i]),
    jsonOfLines(metadata[i]),
  ]);
}

export function readSymbolColumns(columns: SymbolColumns): SymbolRow[] {
  const [symbols, frequencies, members, affinities] = columns;
  return symbols.map((symbol, i) => ({
    symbol,
    frequency: Number(frequencies[i] ?? 0),
    patternMemberFrequency: Number(members[i] ?? 0),
    affinity: readAffinity(affinities[i] ?? ""),
  }));
}

/** JSON of pairs `[emotive, sum][]`, of lines `<sum> <emotive as JSON>`. */
export function affinityJson(lines: string): string {
  const pairs = lines.split("\n").map((line) => {
    const space = line.indexOf(" ");
    return `[${line.slice(space + 1)},${line.slice(0, space)}]`;
  });
  return `[${pairs.join(",")}]`;
}

function readAffinity(lines: string): Emotives {
  const affinity: Emotives = Object.create(null);
  if (lines === "") return affinity;
  for (const [emotive, sum] of parseJson(affinityJson(lines)) as [string, number][]) {
    affinity[emotive] = sum;
  }
  return affinity;
}

function jsonOfLines(lines: Lines | undefined): string {
  return lines ? `[${lines.replaceAll("\n", ",")}]` : "";
}
