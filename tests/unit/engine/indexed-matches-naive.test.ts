import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { commonLengthIn } from "@kato-rpc/server/engine/index/common-length.ts";
import { Extraction } from "@kato-rpc/server/engine/index/extraction.ts";
import { NodeReplica } from "@kato-rpc/server/engine/index/node-replica.ts";
import { PotentialBound } from "@kato-rpc/server/engine/index/potential-bound.ts";
import { predict } from "@kato-rpc/server/engine/index/predict.ts";
import { giveBackArrays, takeArrays } from "@kato-rpc/server/engine/index/query-arrays.ts";
import { StateQuery } from "@kato-rpc/server/engine/index/state-query.ts";
import { learnPattern } from "@kato-rpc/server/engine/learning.ts";
import { predictNaively } from "@kato-rpc/server/engine/naive/predict.ts";
import type { NodeChange } from "@kato-rpc/server/engine/node-change.ts";
import { NodeMemory } from "@kato-rpc/server/engine/node-memory.ts";
import { patternHash } from "@kato-rpc/server/engine/pattern-name.ts";
import type { Event } from "@kato-rpc/shared/observation.ts";
import type { PredictionList, PredictionSettings } from "@kato-rpc/shared/prediction.ts";
import {
  DEFAULT_SESSION_CONFIG,
  FILTER_STAGES,
  RANK_FIELDS,
} from "@kato-rpc/shared/session-config.ts";

/** Few symbols, so that patterns overlap, repeat themselves and are learned again. */
const FEW = ["a", "b", "c", "ab", "ba", "abc", "é😀", "__proto__"];

type Action =
  | { do: "learn"; events: Event[]; joy: number | undefined; book: string | undefined }
  | { do: "correct" | "forget"; pattern: number; frequency: number }
  | { do: "finalize" };

function learnOf(events: Event[]): Action {
  return { do: "learn", events, joy: undefined, book: undefined };
}

type Play = { actions: Action[]; stm: Event[]; settings: PredictionSettings };

function eventsOf(symbols: readonly string[], maxEvents: number): fc.Arbitrary<Event[]> {
  const event = fc.array(fc.constantFrom(...symbols), { minLength: 1, maxLength: 3 });
  return fc.array(event, { minLength: 1, maxLength: maxEvents });
}

function actionOf(symbols: readonly string[], maxEvents: number): fc.Arbitrary<Action> {
  const learn = fc.record({
    do: fc.constant("learn" as const),
    events: eventsOf(symbols, maxEvents),
    joy: fc.option(fc.constantFrom(0.1, 0.2, -0.3, 7), { nil: undefined }),
    book: fc.option(fc.constantFrom("x", "y", "😀", "\ue000"), { nil: undefined }),
  });
  const change = fc.record({
    do: fc.constantFrom("correct" as const, "forget" as const),
    pattern: fc.nat(20),
    frequency: fc.integer({ min: 1, max: 9 }),
  });
  const finalize = fc.constant({ do: "finalize" as const });
  return fc.oneof(
    { weight: 12, arbitrary: learn },
    { weight: 2, arbitrary: change },
    { weight: 1, arbitrary: finalize },
  );
}

const threshold = fc.oneof(
  fc.constantFrom(0, 0.1, 0.2, 0.5, 0.75, 1),
  fc.double({ min: 0, max: 1, noNaN: true }),
);

const settings: fc.Arbitrary<PredictionSettings> = fc
  .record({
    recallThreshold: threshold,
    maxPredictions: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(100)),
    useTokenMatching: fc.boolean(),
    fuzzyTokenThreshold: fc.constantFrom(null, null, 0, 0.4, 0.8),
    rankSortAlgo: fc.constantFrom(...RANK_FIELDS),
    affinityEmotive: fc.constantFrom(null, null, "joy", "unknown", ""),
    filterPipeline: fc.oneof(
      fc.constant<PredictionSettings["filterPipeline"]>([]),
      fc.array(fc.constantFrom(...FILTER_STAGES), { maxLength: 4 }),
    ),
    lengthMinRatio: fc.constantFrom(0, 0.5, 1),
    lengthMaxRatio: fc.constantFrom(1, 2, 3),
    jaccardThreshold: fc.constantFrom(0, 0.2, 0.5),
    jaccardMinOverlap: fc.constantFrom(1, 2),
    minhashThreshold: fc.constantFrom(0, 0.2, 0.7),
  })
  .map((chosen) => ({ ...DEFAULT_SESSION_CONFIG, ...chosen }));

function playOf(symbols: readonly string[], sizes: { patterns: number; events: number }) {
  return fc.record({
    actions: fc.array(actionOf(symbols, sizes.events), { maxLength: sizes.patterns }),
    stm: eventsOf([...symbols, "never learned"], sizes.events),
    settings,
  });
}

/** Each symbol an event of its own. */
function singlesOf(events: readonly Event[]): Event[] {
  return events.flat().map((symbol) => [symbol]);
}

/** The changes that the actions come to on a node; those that name no pattern come to none. */
function changesOf(actions: readonly Action[]): NodeChange[] {
  const changes: NodeChange[] = [];
  const hashes: string[] = [];
  for (const action of actions) {
    if (action.do === "finalize") changes.push({ kind: "finalize" });
    else if (action.do === "learn") {
      const { learned } = learnPattern({
        events: action.events,
        emotives: action.joy === undefined ? [] : [{ joy: action.joy }],
        metadata: action.book === undefined ? [] : [{ book: action.book }],
        persistence: 2,
        vectors: [],
      });
      if (learned === null) continue;
      changes.push(learned);
      if (!hashes.includes(learned.hash)) hashes.push(learned.hash);
    } else if (hashes.length > 0) {
      const index = action.pattern % hashes.length;
      const hash = hashes[index]!;
      if (action.do === "forget") hashes.splice(index, 1);
      const { frequency } = action;
      changes.push(
        action.do === "forget" ? { kind: "forget", hash } : { kind: "correct", hash, frequency },
      );
    }
  }
  return changes;
}

function memoryOf(changes: readonly NodeChange[]): NodeMemory {
  const memory = new NodeMemory();
  for (const change of structuredClone(changes)) memory.apply(change);
  return memory;
}

function replicaOf(changes: readonly NodeChange[]): NodeReplica {
  const replica = new NodeReplica();
  for (const change of structuredClone(changes)) replica.apply(change);
  return replica;
}

/** Every bit of it: JSON writes the shortest text that reads back as the number. */
function textOf(list: PredictionList): string {
  const sorted = (_: string, value: unknown): unknown =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return JSON.stringify(list, sorted, 1);
}

/** What the next query gets holds nothing that it could have written itself. */
function spoilKeptArrays(): void {
  const arrays = takeArrays();
  for (let i = 0; i < 40; i += 1) {
    arrays.ints(300).fill(-7);
    arrays.doubles(300).fill(Number.NaN);
    arrays.bytes(300).fill(255);
  }
  giveBackArrays(arrays);
}

function expectSamePredictions({ actions, stm, settings }: Play): void {
  const changes = changesOf(actions);
  spoilKeptArrays();

  const indexed = predict(replicaOf(changes), stm, settings);

  expect(textOf(indexed)).toBe(textOf(predictNaively(memoryOf(changes), stm, settings)));
  // Nothing that a text of JSON loses, which it is told as: neither −0 nor what is not finite.
  expect(JSON.parse(textOf(indexed))).toEqual(indexed);
}

describe("the indexed engine predicts what the naive one does, bit for bit,", () => {
  test("on small nodes with few symbols", { timeout: 120_000 }, () => {
    const plays = playOf(FEW, { patterns: 25, events: 4 });

    fc.assert(fc.property(plays, expectSamePredictions), { numRuns: 3_000 });
  });

  test("on nodes with many patterns of three symbols, where most tie", { timeout: 120_000 }, () => {
    const plays = playOf(["a", "b", "c"], { patterns: 150, events: 4 });

    fc.assert(fc.property(plays, expectSamePredictions), { numRuns: 300 });
  });

  test("on states beyond 32 and 64 symbols", { timeout: 120_000 }, () => {
    const symbols = Array.from({ length: 12 }, (_, i) => `s${i}`);
    const plays = playOf(symbols, { patterns: 12, events: 60 });

    fc.assert(fc.property(plays, expectSamePredictions), { numRuns: 300 });
  });

  test("on a vocabulary in which most patterns share nothing", { timeout: 120_000 }, () => {
    const symbols = Array.from({ length: 60 }, (_, i) => `s${i}`);
    const plays = playOf(symbols, { patterns: 80, events: 4 });

    fc.assert(fc.property(plays, expectSamePredictions), { numRuns: 300 });
  });

  test(
    "on events of one symbol, where one in common is enough to know",
    { timeout: 120_000 },
    () => {
      const symbols = Array.from({ length: 8 }, (_, i) => `s${i}`);
      const plays = playOf(symbols, { patterns: 60, events: 6 }).map(
        ({ actions, stm, settings }) => ({
          actions: actions.map((action) =>
            action.do === "learn" ? { ...action, events: singlesOf(action.events) } : action,
          ),
          stm,
          // So that most plays prune, and by few symbols in common.
          settings: { ...settings, recallThreshold: Math.min(settings.recallThreshold, 0.1) },
        }),
      );

      fc.assert(fc.property(plays, expectSamePredictions), { numRuns: 300 });
    },
  );

  test("on states that no pattern comes near enough to", { timeout: 120_000 }, () => {
    const symbols = Array.from({ length: 10 }, (_, i) => `s${i}`);
    const plays = playOf(symbols, { patterns: 30, events: 5 }).map(
      ({ actions, stm, settings }) => ({
        actions,
        stm,
        settings: { ...settings, recallThreshold: Math.max(settings.recallThreshold, 0.8) },
      }),
    );

    fc.assert(fc.property(plays, expectSamePredictions), { numRuns: 500 });
  });

  test("on states and patterns that have a symbol some hundred times", { timeout: 120_000 }, () => {
    const times = fc.integer({ min: 250, max: 290 });
    const plays = fc.record({
      inPattern: times,
      inState: times,
      recallThreshold: fc.double({ min: 0.8, max: 1, noNaN: true }),
    });

    fc.assert(
      fc.property(plays, ({ inPattern, inState, recallThreshold }) => {
        const again = (count: number): Event[] => Array.from({ length: count }, () => ["a"]);
        expectSamePredictions({
          actions: [learnOf([...again(inPattern), ["b"]]), learnOf([["a"], ["b"], ["c"]])],
          stm: [["c"], ...again(inState)],
          settings: { ...DEFAULT_SESSION_CONFIG, recallThreshold },
        });
      }),
      { numRuns: 100 },
    );
  });

  test("on more than a thousand futures, some of several patterns", { timeout: 120_000 }, () => {
    const patterns = Array.from({ length: 1_500 }, (_, i) => [[`m${i}`], ["a"], [`f${i % 1_200}`]]);

    expectSamePredictions({
      actions: patterns.map(learnOf),
      stm: [["a"], ["b"]],
      settings: { ...DEFAULT_SESSION_CONFIG, maxPredictions: 1_000 },
    });
  });

  test("from one symbol", { timeout: 120_000 }, () => {
    const one = playOf(FEW, { patterns: 40, events: 3 }).map((play) => ({
      ...play,
      stm: [[play.stm[0]![0]!]],
    }));

    fc.assert(fc.property(one, expectSamePredictions), { numRuns: 500 });
  });
});

describe("an interrupt", () => {
  function learnsOf(eventsOf: (i: number) => Event[]): Action[] {
    return Array.from({ length: 1_000 }, (_, i) => ({
      do: "learn",
      events: eventsOf(i),
      joy: undefined,
      book: undefined,
    }));
  }

  test("that does nothing changes nothing, and one that throws ends the prediction", () => {
    const plays = playOf(FEW, { patterns: 25, events: 4 });

    fc.assert(
      fc.property(plays, fc.nat(12), ({ actions, stm, settings }, calls) => {
        const replica = replicaOf(changesOf(actions));
        const expected = textOf(predict(replica, stm, settings));
        let left = calls;
        const interrupt = (): void => {
          left -= 1;
          if (left < 0) throw new Error("too late");
        };
        try {
          expect(textOf(predict(replica, stm, { ...settings, interrupt }))).toBe(expected);
        } catch (error) {
          expect(error).toEqual(new Error("too late"));
        }

        // What was given up has left nothing behind.
        expect(textOf(predict(replica, stm, settings))).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  test("that predicts itself changes nothing", () => {
    const plays = playOf(FEW, { patterns: 25, events: 4 });

    fc.assert(
      fc.property(plays, ({ actions, stm, settings }) => {
        const replica = replicaOf(changesOf(actions));
        const expected = textOf(predict(replica, stm, settings));
        const interrupt = (): void => {
          expect(textOf(predict(replica, stm, settings))).toBe(expected);
        };

        expect(textOf(predict(replica, stm, { ...settings, interrupt }))).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ["tokens", { recallThreshold: 0.1 }, 3],
    ["characters", { useTokenMatching: false, recallThreshold: 0.1 }, 3],
    ["fuzzy tokens", { fuzzyTokenThreshold: 0.5, recallThreshold: 0 }, 6],
    ["a threshold that none passes", { recallThreshold: 1 }, 3],
  ])("comes every few hundred patterns when matching by %s", (_, chosen, least) => {
    const changes = changesOf(learnsOf((i) => [["a"], ["b"], [`c${i}`]]));
    let calls = 0;
    const interrupt = (): unknown => (calls += 1);

    predict(replicaOf(changes), [["a"], ["b"]], {
      ...DEFAULT_SESSION_CONFIG,
      ...chosen,
      interrupt,
    });

    expect(calls).toBeGreaterThanOrEqual(least);
  });

  test("comes every few hundred patterns that begin with the only symbol", () => {
    const changes = changesOf(learnsOf((i) => [["a"], [`c${i}`]]));
    let calls = 0;
    const interrupt = (): unknown => (calls += 1);

    predict(replicaOf(changes), [["a"]], { ...DEFAULT_SESSION_CONFIG, interrupt });

    expect(calls).toBeGreaterThanOrEqual(3);
  });
});

describe("the bound that spares candidates", () => {
  const events = eventsOf(["a", "b", "c", "d", "e"], 6);

  /** Of a pattern, the only one of its node, and a state. */
  function boundAndPotential(pattern: Event[], stm: Event[]) {
    const rest = { emotives: [], metadata: [], persistence: 1, vectors: [] };
    const { learned } = learnPattern({ events: pattern, ...rest });
    fc.pre(learned !== null);
    const replica = replicaOf([learned]);
    const query = new StateQuery(replica, stm, DEFAULT_SESSION_CONFIG);
    const extraction = new Extraction(replica, query);
    extraction.extract(0);
    const bound = new PotentialBound(query.state.length, replica.patterns.longestEvent);
    const common = commonLengthIn(replica, query)(0);
    const highest = bound.of(common, learned.length);
    return { common, highest, potential: extraction.preliminaryPotential };
  }

  test("is never below the potential of one, whatever it shares with the state", () => {
    const patterns = fc.oneof(events, events.map(singlesOf));

    fc.assert(
      fc.property(patterns, events, (pattern, stm) => {
        const { highest, potential } = boundAndPotential(pattern, stm);

        expect(potential).toBeLessThanOrEqual(highest);
      }),
      { numRuns: 3_000 },
    );
  });

  test("is the potential of one that has events of one symbol, and one in common", () => {
    fc.assert(
      fc.property(events.map(singlesOf), events, (pattern, stm) => {
        const { common, highest, potential } = boundAndPotential(pattern, stm);
        fc.pre(common === 1);

        expect(potential).toBe(highest);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("the replica", () => {
  function expectSameMemory(replica: NodeReplica, memory: NodeMemory): void {
    const patterns = [...memory.patterns()].map((pattern) => pattern.hash).toSorted();
    const bySymbol = (a: [string, unknown], b: [string, unknown]): number => (a[0] < b[0] ? -1 : 1);
    expect([...replica.storedPatterns()].map(({ hash }) => hash).toSorted()).toEqual(patterns);
    for (const pattern of memory.patterns()) {
      expect(replica.pattern(pattern.hash)).toEqual(pattern);
    }
    expect([...replica.symbols.entries()].toSorted(bySymbol)).toEqual(
      [...memory.symbols()].toSorted(bySymbol),
    );
    expect(replica.totals()).toEqual(memory.totals());
    for (const symbol of FEW) expect(replica.affinity(symbol)).toEqual(memory.affinity(symbol));
  }

  test("holds what the memory holds that is written to be read", () => {
    const actions = fc.array(actionOf(FEW, 3), { maxLength: 40 });

    fc.assert(
      fc.property(actions, (played) => {
        const changes = changesOf(played);

        expectSameMemory(replicaOf(changes), memoryOf(changes));
      }),
      { numRuns: 500 },
    );
  });

  test("predicts the same when it was loaded from what another holds", () => {
    const plays = playOf(FEW, { patterns: 25, events: 4 });

    fc.assert(
      fc.property(plays, ({ actions, stm, settings }) => {
        const changes = changesOf(actions).filter(({ kind }) => kind !== "finalize");
        const original = replicaOf(changes);
        const loaded = new NodeReplica();
        const patterns = [...original.storedPatterns()];
        for (const pattern of patterns.toReversed()) loaded.load(pattern);
        for (const symbol of FEW) loaded.loadAffinity(symbol, original.affinity(symbol));

        expect(textOf(predict(loaded, stm, settings))).toBe(
          textOf(predict(original, stm, settings)),
        );
      }),
      { numRuns: 500 },
    );
  });

  test("predicts the same after thousands of patterns were forgotten and it was packed", () => {
    const changes: NodeChange[] = [];
    const patternOf = (i: number): Event[] => [[`x${i % 7}`], [`y${i % 11}`], [`z${i}`, "end"]];
    const learn = (i: number): void => {
      const rest = { emotives: [{ joy: i }], metadata: [{ book: i }], persistence: 2, vectors: [] };
      const { learned } = learnPattern({ events: patternOf(i), ...rest });
      if (learned !== null) changes.push(learned);
    };
    for (let i = 0; i < 3_000; i += 1) learn(i);
    changes.push({ kind: "finalize" });
    for (let i = 0; i < 2_990; i += 1) {
      if (i % 500 !== 3) changes.push({ kind: "forget", hash: patternHash(patternOf(i)) });
    }
    for (let i = 0; i < 20; i += 1) learn(i);
    const [replica, memory] = [replicaOf(changes), memoryOf(changes)];

    expect(replica.patterns.size).toBeLessThan(1_100);
    expectSameMemory(replica, memory);
    for (const recallThreshold of [0, 0.1, 0.5]) {
      const settings = { ...DEFAULT_SESSION_CONFIG, recallThreshold, affinityEmotive: "joy" };
      const stm = [["x3"], ["y3", "z3"]];
      expect(textOf(predict(replica, stm, settings))).toBe(
        textOf(predictNaively(memory, stm, settings)),
      );
    }
  });

  test("is empty after a clear, and learns anew", () => {
    const { learned } = learnPattern({
      events: [["a"], ["b"]],
      emotives: [{ joy: 1 }],
      metadata: [],
      persistence: 5,
      vectors: [{ name: "VCTR|x", vector: [1, 2] }],
    });
    const replica = replicaOf([learned!, { kind: "finalize" }, { kind: "clear" }]);

    expectSameMemory(replica, new NodeMemory());
    expect(replica.vectors.size).toBe(0);
    expect(replica.finalized).toBe(undefined);
    replica.apply(learned!);
    expectSameMemory(replica, memoryOf([learned!]));
  });
});
