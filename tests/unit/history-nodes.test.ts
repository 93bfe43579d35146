import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { create, learn, next, observe, predict, unanswered } from "../support/history/calls.ts";
import { checkAll, checkNode } from "../support/history/check-all.ts";
import { describeFinding } from "../support/history/finding.ts";
import type { NodeContents } from "../support/history/node-contents.ts";
import type { RandomHistory } from "../support/history/random-history.ts";
import { arbitrarySteps, NODE, playSteps } from "../support/history/random-history.ts";
import type { SessionCall } from "../support/history/session-call.ts";
import { nameOf } from "../support/history/session-model.ts";

type Pattern = NodeContents["patterns"][number];

const events = [["a", "a2"], ["b"]];
const NAME = nameOf(events)!;
const HASH = NAME.replace("PTRN|", "");

/** What a node says that learned each of these lists of events so often, counted the simplest way. */
function contentsOf(learned: readonly (readonly [string[][], number])[]): NodeContents {
  const patterns = learned.map(([events, frequency]): Pattern => {
    const length = events.flat().length;
    return { name: nameOf(events)!, events, length, frequency, emotives: [], metadata: {} };
  });
  const occurrences = learned.flatMap(([events, frequency]) =>
    Array.from({ length: frequency }, () => events.flat()).flat(),
  );
  const symbols = [...Map.groupBy(occurrences, (symbol) => symbol)].map(([symbol, of]) => ({
    symbol,
    frequency: of.length,
    patternMemberFrequency: learned.filter(([events]) => events.flat().includes(symbol)).length,
    affinity: {},
  }));
  const stats = {
    nodeId: "n",
    patterns: learned.length,
    symbols: symbols.length,
    frequencies: learned.reduce((total, [, frequency]) => total + frequency, 0),
    symbolOccurrences: occurrences.length,
    vectors: 0,
    sessions: 1,
    bytes: Buffer.byteLength(patterns.map((each) => JSON.stringify(each.events)).join("")),
  };
  return { nodeId: "n", stats, patterns, symbols };
}

function rulesBroken(calls: readonly SessionCall[], contents: NodeContents): string[] {
  return checkNode([create(), ...calls], contents).map(({ rule }) => rule);
}

const learned = (times: number) => contentsOf([[events, times]]);
const one = learn([0, 1], NAME);
const two = learn([2, 3], NAME, { frequency: 2 });
const three = learn([4, 5], NAME, { frequency: 3 });
const observations = events.map((event, i) =>
  observe([i - 10, i - 9], event, { time: i + 1, stmLength: i + 1 }),
);
const lost = [...observations, unanswered(learn([2, 3], NAME))];

describe("a node's history", () => {
  it.each<[string, SessionCall[], NodeContents]>([
    ["learned nothing", [], contentsOf([])],
    ["counts each learn once", [one, two, three], learned(3)],
    [
      "counts a learn and its repeat once",
      [one, learn([2, 3], NAME, { id: "l0", replayed: true })],
      learned(1),
    ],
    ["counts a learn of unknown outcome", [one, ...lost], learned(2)],
    ["does not count a learn of unknown outcome", [one, ...lost], learned(1)],
    ["learned only what nobody acknowledged", lost, learned(1)],
    ["does not count a single symbol", [learn([0, 1], null, { frequency: 0 })], contentsOf([])],
    [
      "gave overlapping learns their numbers in any order",
      [learn([0, 9], NAME, { frequency: 2 }), learn([1, 8], NAME)],
      learned(2),
    ],
    [
      "predicts what was learned before, and perhaps what is being learned",
      [one, predict([2, 3], 0, { name: HASH, frequency: 2 }), two],
      learned(2),
    ],
    [
      "predicts what nobody acknowledged",
      [...lost, predict([4, 5], 0, { name: HASH, frequency: 1 })],
      learned(1),
    ],
    [
      "tells what comes next by what was learned before, and perhaps by what is being learned",
      [one, next([2, 3], 0, { because: [{ name: HASH, frequency: 2 }] }), two],
      learned(2),
    ],
    [
      "tells that there are no patterns while the first is being learned",
      [learn([0, 3], NAME), next([1, 2], 0, { empty: "NO_PATTERNS", deviation: 1e-10 })],
      learned(1),
    ],
  ])("is accepted if it %s", (_, calls, contents) => {
    expect(checkNode([create(), ...calls], contents).map(describeFinding)).toEqual([]);
  });

  it.each<[string, string, SessionCall[], NodeContents]>([
    ["a lost learn", "lost-learn", [one, two], learned(1)],
    ["a lost pattern", "lost-learn", [one], contentsOf([])],
    ["a doubled learn", "doubled-learn", [one, two], learned(3)],
    ["a learn of unknown outcome counted twice", "doubled-learn", lost, learned(2)],
    [
      "a failed learn counted",
      "stranger-pattern",
      [...observations, unanswered(one, "failed")],
      learned(1),
    ],
    ["a pattern nobody learned", "stranger-pattern", [], learned(1)],
    [
      "a pattern of events that nobody observed",
      "stranger-pattern",
      [...lost],
      contentsOf([[[["x"], ["y"]], 1]]),
    ],
    [
      "a frequency told twice",
      "repeated-frequency",
      [one, two, learn([2, 3], NAME, { frequency: 2, id: "x" })],
      learned(3),
    ],
    [
      "frequencies against the order of learns",
      "frequency-order",
      [
        learn([0, 9], NAME),
        learn([2, 3], NAME, { frequency: 3 }),
        learn([4, 5], NAME, { frequency: 2 }),
      ],
      learned(3),
    ],
    [
      "a frequency that misses an acknowledged learn",
      "wrong-frequency",
      [one, learn([2, 3], NAME, { frequency: 1, id: "x" })],
      learned(2),
    ],
    [
      "a frequency beyond all learns",
      "wrong-frequency",
      [learn([0, 1], NAME, { frequency: 2 })],
      learned(1),
    ],
    [
      "a prediction that misses an acknowledged learn",
      "stale-prediction",
      [one, two, predict([4, 5], 0, { name: HASH, frequency: 1 })],
      learned(2),
    ],
    [
      "a prediction of a learn that had not started",
      "future-prediction",
      [
        one,
        predict([2, 3], 0, { name: HASH, frequency: 2 }),
        learn([4, 5], NAME, { frequency: 2 }),
      ],
      learned(2),
    ],
    [
      "a prediction of a pattern nobody learned",
      "future-prediction",
      [predict([0, 1], 0, { name: HASH, frequency: 1 })],
      contentsOf([]),
    ],
    [
      "a next event told without an acknowledged learn",
      "stale-prediction",
      [one, two, next([4, 5], 0, { because: [{ name: HASH, frequency: 1 }] })],
      learned(2),
    ],
    [
      "a next event told by a learn that had not started",
      "future-prediction",
      [next([0, 1], 0, { because: [{ name: HASH, frequency: 1 }] }), learn([2, 3], NAME)],
      learned(1),
    ],
    [
      "a next event told as though there were no patterns when there was one",
      "stale-prediction",
      [one, next([2, 3], 0, { empty: "NO_PATTERNS" })],
      learned(1),
    ],
    [
      "probabilities that do not sum up",
      "broken-distribution",
      [one, next([2, 3], 0, { deviation: 2e-9 })],
      learned(1),
    ],
    [
      "probabilities that are no numbers",
      "broken-distribution",
      [one, next([2, 3], 0, { deviation: NaN })],
      learned(1),
    ],
  ])("is rejected for %s (%s)", (_, rule, calls, contents) => {
    expect(rulesBroken(calls, contents)).toContain(rule);
  });

  it("takes more unknown learns than there were for doubled ones, over all patterns", () => {
    const other = [["b"], ["b"]];
    const contents = contentsOf([
      [events, 1],
      [other, 1],
    ]);

    expect(rulesBroken(lost, contents)).toEqual(["doubled-learn"]);
  });
});

const right = contentsOf([
  [events, 2],
  [[["a"], ["a"], ["b"]], 1],
]);

function withStats(field: keyof NodeContents["stats"], by: number): NodeContents {
  return { ...right, stats: { ...right.stats, [field]: Number(right.stats[field]) + by } };
}

function withSymbol(change: object): NodeContents {
  const [first, ...others] = right.symbols;
  return { ...right, symbols: [{ ...first!, ...change }, ...others] };
}

function withPattern(change: Partial<Pattern>): NodeContents {
  const [first, ...others] = right.patterns;
  return { ...right, patterns: [{ ...first!, ...change }, ...others] };
}

describe("a node's statistics", () => {
  const calls = [one, two, learn([4, 5], nameOf([["a"], ["a"], ["b"]]))];

  it("are accepted where they are those of its patterns", () => {
    expect(rulesBroken(calls, right)).toEqual([]);
  });

  it.each(["patterns", "symbols", "frequencies", "symbolOccurrences", "bytes"] as const)(
    "are rejected where %s is one off",
    (field) => {
      expect(rulesBroken(calls, withStats(field, 1))).toEqual(["wrong-statistics"]);
      expect(rulesBroken(calls, withStats(field, -1))).toEqual(["wrong-statistics"]);
    },
  );

  it.each<[string, NodeContents]>([
    ["a symbol's frequency", withSymbol({ frequency: 5 })],
    ["a symbol's count of patterns", withSymbol({ patternMemberFrequency: 3 })],
    ["a missing symbol", { ...right, symbols: right.symbols.slice(1) }],
    ["a symbol told twice", { ...right, symbols: [...right.symbols, right.symbols[0]!] }],
    [
      "a symbol that no pattern has",
      { ...right, symbols: [...right.symbols, { ...right.symbols[0]!, symbol: "x" }] },
    ],
  ])("are rejected for %s", (_, contents) => {
    expect(rulesBroken(calls, contents)).toContain("wrong-symbols");
  });

  it.each<[string, NodeContents]>([
    ["a pattern under another's name", withPattern({ events: [["a", "a2"], ["c"]] })],
    ["a pattern with its events in another order", withPattern({ events: events.toReversed() })],
    ["another length", withPattern({ length: 4 })],
    [
      "a pattern that is there twice",
      { ...right, patterns: [...right.patterns, right.patterns[0]!] },
    ],
  ])("are rejected for %s", (_, contents) => {
    expect(rulesBroken(calls, contents)).toContain("wrong-pattern");
  });
});

/** What a wrong service might have kept or told instead; gives up by `fc.pre` where the history offers no chance. */
type Corruption = (history: RandomHistory, pick: number) => RandomHistory;

function choose<Item>(items: readonly Item[], pick: number): Item {
  fc.pre(items.length > 0);
  return items[pick % items.length]!;
}

/** The same history with a node that learned one pattern another number of times, and counts accordingly. */
function relearned(history: RandomHistory, name: string, by: number): RandomHistory {
  const patterns = history.contents.patterns
    .map((each) => (each.name === name ? { ...each, frequency: each.frequency + by } : each))
    .filter(({ frequency }) => frequency > 0);
  const counted = contentsOf(patterns.map(({ events, frequency }) => [events, frequency]));
  const contents = { ...counted, nodeId: NODE };
  return { ...history, contents };
}

function answeredLearns(calls: readonly SessionCall[]) {
  return calls
    .filter((call) => call.kind === "learn" && call.outcome === "ok")
    .filter(({ reply }) => !reply.replayed && reply.learned !== null);
}

const corruptions: Record<string, Corruption> = {
  "a lost learn": (history, pick) =>
    relearned(history, choose(history.contents.patterns, pick).name, -1),
  "a doubled learn": (history, pick) =>
    relearned(history, choose(history.contents.patterns, pick).name, 1),
  "a learn that nobody recorded": (history, pick) => {
    const { id } = choose(answeredLearns(history.calls), pick);
    const calls = history.calls.filter((call) => !("id" in call) || call.id !== id);
    return { ...history, calls };
  },
  "a number beyond all learns": (history, pick) => {
    const { id, reply } = choose(answeredLearns(history.calls), pick);
    const kept = history.contents.patterns.find(({ name }) => name === reply.learned);
    const frequency = kept!.frequency + 1;
    const calls = history.calls.map((call) =>
      call.kind === "learn" && call.id === id && call.outcome === "ok"
        ? { ...call, reply: { ...call.reply, frequency } }
        : call,
    );
    return { ...history, calls };
  },
  "a next event told from before an acknowledged learn": (history, pick) => {
    const { session, reply } = choose(answeredLearns(history.calls), pick);
    const because = [{ name: reply.learned!.replace("PTRN|", ""), frequency: reply.frequency - 1 }];
    const stale = next([history.endMs, history.endMs + 1], 0, { because });
    return { ...history, calls: [...history.calls, { ...stale, session, node: NODE }] };
  },
  "a prediction from before an acknowledged learn": (history, pick) => {
    const { session, reply } = choose(answeredLearns(history.calls), pick);
    const { endMs } = history;
    const stale = { ...predict([endMs, endMs + 1], 0), session, node: NODE };
    const name = reply.learned!.replace("PTRN|", "");
    const predictions = [{ name, frequency: reply.frequency - 1 }];
    const own = { sessionId: session, nodeId: NODE };
    return {
      ...history,
      calls: [...history.calls, { ...stale, reply: { ...own, time: 0, predictions } }],
    };
  },
};

describe("a random history of a node and its sessions", () => {
  it.each(Object.entries(corruptions))("is rejected for %s", (_, corrupt) => {
    const steps = arbitrarySteps({ maxLength: 30, unknown: false });
    fc.assert(
      fc.property(steps, fc.nat(1000), (steps, pick) => {
        const history = playSteps(steps);
        const corrupted = corrupt(history, pick);

        expect(checkAll(history.calls, [history.contents])).toEqual([]);
        expect(checkNode(corrupted.calls, corrupted.contents)).not.toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it("is accepted", () => {
    fc.assert(
      fc.property(arbitrarySteps({ maxLength: 60 }), (steps) => {
        const { calls, contents } = playSteps(steps);

        expect(checkAll(calls, [contents]).map(describeFinding)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
