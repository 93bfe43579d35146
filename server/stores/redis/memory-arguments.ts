import { randomInt } from "node:crypto";
import type { NodeMutation } from "../node-store.ts";
import { metadataPairs } from "../pattern-row.ts";
import type { Learn, Outcome } from "../session-store.ts";
import type { LearnedPattern, NodeChange } from "../../engine/node-change.ts";
import type { PatternMetadata } from "../../engine/pattern-metadata.ts";

type Arguments = (string | number)[];

/** What commit-sessions.lua takes of a commit that learns, after everything else. */
export function learnArguments(learns: readonly Learn[], outcomes: readonly Outcome[]): Arguments {
  const told = outcomes.flatMap(({ learn }, i) => (learn === undefined ? [] : [i + 1, learn + 1]));
  return [told.length / 2, ...told, ...learns.flatMap(oneLearn)];
}

/** What change-node.lua takes before what it takes of the request. */
export function mutationArguments(mutation: NodeMutation): Arguments {
  const head = [mutation.kind, ...logEntry(mutation)];
  switch (mutation.kind) {
    case "finalize":
    case "clear":
      return [...head, "", "", "", ""];
    case "forget":
      return [...head, mutation.hash, "", "", ""];
    case "correct": {
      const { hash, frequency, emotives, metadata } = mutation;
      return [
        ...head,
        hash,
        frequency === undefined ? "" : `=${frequency}`,
        emotives === undefined ? "" : `=${jsonLines(emotives)}`,
        metadata === undefined ? "" : `=${metadataLines(metadata)}`,
      ];
    }
  }
}

/** As `read_learn` in learns.lua says. */
function oneLearn(learn: Learn): Arguments {
  const vectors = learn.vectors.flatMap(({ name, vector }) => [
    name,
    vector.length,
    JSON.stringify(vector),
  ]);
  const [pattern, symbols, affinity] =
    learn.kind === "learn" ? patternArguments(learn) : [["", "", 1, "", ""], [], []];
  return [
    ...logEntry(learn),
    ...pattern,
    symbols.length / 2,
    affinity.length / 2,
    learn.vectors.length,
    ...symbols,
    ...affinity,
    ...vectors,
  ];
}

function patternArguments(learned: LearnedPattern): [Arguments, Arguments, Arguments] {
  const { hash, events, persistence, emotives, metadata, occurrences, affinity } = learned;
  const sums = Object.entries(affinity ?? {}).flatMap(([emotive, value]) => [
    JSON.stringify(emotive),
    value,
  ]);
  return [
    [hash, JSON.stringify(events), persistence, jsonLines(emotives), metadataLines(metadata)],
    occurrences.flat(),
    sums,
  ];
}

/** A random mark, which tells this entry from one that has its number in a log that was lost, and the change. */
function logEntry(change: NodeChange): [mark: number, change: string] {
  return [randomInt(2 ** 32), JSON.stringify(change)];
}

function metadataLines(metadata: PatternMetadata): string {
  return jsonLines(metadataPairs(metadata));
}

/** One line each, since JSON has no line break within a string. */
function jsonLines(values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).join("\n");
}
