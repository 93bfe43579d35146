import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";

import { NodeReplica } from "@kato-rpc/server/engine/index/node-replica.ts";
import { learnPattern } from "@kato-rpc/server/engine/learning.ts";
import type { Learning } from "@kato-rpc/server/engine/learning.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const COUNT = 10_000;

function usedBytes(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Learns with the numbers from `start` on, as texts like those a store gives. */
function fill(
  node: NodeReplica,
  start: number,
  learningOf: (i: number) => Partial<Learning>,
  count = COUNT,
): void {
  for (let i = start; i < start + count; i += 1) {
    const events = [[`symbol-${i % 1_000}`], [`word-${i}`], ["end"]];
    const rest = { events, emotives: [], metadata: [], persistence: 5, vectors: [] };
    const { learned } = learnPattern({ ...rest, ...learningOf(i) });
    node.apply(JSON.parse(JSON.stringify(learned)));
  }
}

/** With other texts, since equal ones may be kept once; in a function, which keeps nothing when it is done. */
function warmUp(learningOf: (i: number) => Partial<Learning>): void {
  fill(new NodeReplica(), COUNT, learningOf);
}

describe("a replica tells about what it takes in memory", () => {
  test.each<[string, (i: number) => Partial<Learning>]>([
    ["patterns alone", () => ({})],
    ["emotives and affinities", (i) => ({ emotives: [{ joy: i / 7, fear: 0.5 }, { joy: 1 }] })],
    ["metadata", (i) => ({ metadata: [{ book: `number ${i} of many`, page: i }] })],
    ["vectors", (i) => ({ vectors: [{ name: `v${i}`, vector: Array(64).fill(i) as number[] }] })],
    ["long symbols", (i) => ({ events: [[`${i}`.padStart(500, "long ")], ["end"]] })],
  ])("with %s", (_, learningOf) => {
    warmUp(learningOf);
    const before = usedBytes();
    const node = new NodeReplica();
    fill(node, 0, learningOf);

    const taken = usedBytes() - before;

    expect(node.sizeBytes / taken).toBeGreaterThan(0.7);
    expect(node.sizeBytes / taken).toBeLessThan(1.5);
    expect(node.totals().patterns).toBe(COUNT);
  });

  test.each<[string, (i: number) => Partial<Learning>, number?]>([
    ["events of one symbol", () => ({})],
    [
      "events of several",
      (i) => ({
        events: [
          ["a", `word-${i}`],
          ["b", "c", `word-${i}`],
        ],
      }),
    ],
    [
      "events of hundreds",
      (i) => ({
        events: [Array.from({ length: 300 }, (_, at) => `${(i + at * at) % 1_009}`), [`${i}`]],
      }),
      1_000,
    ],
  ])("with what is kept to tell the next event, of %s", (_, learningOf, count = COUNT) => {
    const node = new NodeReplica();
    fill(node, 0, learningOf, count);
    const toldBefore = node.sizeBytes;
    const usedBefore = usedBytes();
    node.contexts();

    const taken = usedBytes() - usedBefore;
    const told = node.sizeBytes - toldBefore;

    expect(told / taken).toBeGreaterThan(0.7);
    expect(told / taken).toBeLessThan(1.5);
  });

  test("and less again once patterns were forgotten", () => {
    const node = new NodeReplica();
    const empty = node.sizeBytes;
    fill(node, 0, (i) => ({ metadata: [{ book: i }] }));
    const full = node.sizeBytes;

    const hashes = Array.from(node.storedPatterns(), ({ hash }) => hash);
    for (const hash of hashes) node.apply({ kind: "forget", hash });
    expect(node.sizeBytes).toBeLessThan(full / 4);
    node.apply({ kind: "clear" });
    expect(node.sizeBytes).toBe(empty);
  });
});
