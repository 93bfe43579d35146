import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { NodeReplica } from "@kato-rpc/server/engine/index/node-replica.ts";
import { learnPattern } from "@kato-rpc/server/engine/learning.ts";
import { nextEventsNaively } from "@kato-rpc/server/engine/naive/next-events.ts";
import { nextEvents } from "@kato-rpc/server/engine/next/next-events.ts";
import { tableCount } from "@kato-rpc/server/engine/next/table-count.ts";
import type { NodeChange } from "@kato-rpc/server/engine/node-change.ts";
import { NodeMemory } from "@kato-rpc/server/engine/node-memory.ts";
import { patternHash, patternName } from "@kato-rpc/server/engine/pattern-name.ts";
import type { NextList } from "@kato-rpc/shared/next.ts";
import type { Event } from "@kato-rpc/shared/observation.ts";

const ASKED = { limit: 10, horizon: 1 };

function learnOf(events: readonly Event[]): NodeChange[] {
  const rest = { emotives: [], metadata: [], persistence: 1, vectors: [] };
  const { learned } = learnPattern({ events, ...rest });
  return learned === null ? [] : [learned];
}

/** Each word a sequence of events of one letter. */
function words(...texts: string[]): NodeChange[] {
  return texts.flatMap((text) => learnOf(lettersOf(text)));
}

function lettersOf(text: string): Event[] {
  return text.split("").map((letter) => [letter]);
}

function replicaOf(changes: readonly NodeChange[]): NodeReplica {
  const replica = new NodeReplica();
  for (const change of changes) replica.apply(change);
  return replica;
}

function memoryOf(changes: readonly NodeChange[]): NodeMemory {
  const memory = new NodeMemory();
  for (const change of changes) memory.apply(change);
  return memory;
}

function probabilityOf({ events }: NextList, ...event: Event): number {
  return events.find((each) => each.event.join() === event.join())?.probability ?? 0;
}

/** By letter: Σ `tableCount` over what came before it. */
function tablesOf(texts: readonly (readonly string[])[]): Map<string, number> {
  const pairs = new Map<string, number>();
  for (const letters of texts) {
    for (const [at, letter] of letters.entries()) {
      const pair = `${letter}${letters[at - 1] ?? ""}`;
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
    }
  }
  const tables = new Map<string, number>();
  for (const [pair, count] of pairs) {
    const letter = pair.slice(0, 1);
    tables.set(letter, (tables.get(letter) ?? 0) + tableCount(count));
  }
  return tables;
}

function sumOf({ events, end, other }: NextList): number {
  return events.reduce((sum, { probability }) => sum + probability, 0) + end + other;
}

const FEW = ["a", "b", "c", "d"];
const WITH_VECTORS = ["a", "b", "VCTR|1", "VCTR|2", "VCTR|3", "VCTR|4"];
const event = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...FEW).map((symbol) => [symbol]) },
  { weight: 1, arbitrary: fc.array(fc.constantFrom(...FEW), { minLength: 1, maxLength: 3 }) },
  {
    weight: 1,
    arbitrary: fc.array(fc.constantFrom(...WITH_VECTORS), { minLength: 1, maxLength: 4 }),
  },
);
const sequence = fc.array(event, { minLength: 1, maxLength: 9 });
const unsure = fc.array(fc.constantFrom("never", "VCTR|never", "VCTR|1", "VCTR|2", ...FEW), {
  minLength: 1,
  maxLength: 5,
});
const observed = fc.array(
  fc.oneof(
    { weight: 9, arbitrary: event },
    { weight: 2, arbitrary: unsure },
    { weight: 1, arbitrary: fc.constant<Event>(["never"]) },
  ),
  { maxLength: 12 },
);
const question = fc.record({
  limit: fc.integer({ min: 1, max: 12 }),
  horizon: fc.constantFrom(1, 1, 1, 2, 3),
});
const action = fc.oneof(
  { weight: 40, arbitrary: sequence.map((events) => ({ do: "learn" as const, events })) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constantFrom("forget" as const, "correct" as const),
      pattern: fc.nat(20),
      frequency: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 1e12 })),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "clear" as const }) },
);

function changesOf(actions: readonly (typeof action extends fc.Arbitrary<infer A> ? A : never)[]) {
  const changes: NodeChange[] = [];
  let hashes: string[] = [];
  for (const each of actions) {
    if (each.do === "clear") {
      changes.push({ kind: "clear" });
      hashes = [];
    } else if (each.do === "learn") {
      const learned = learnOf(each.events);
      changes.push(...learned);
      if (learned.length > 0) hashes = [...new Set([...hashes, patternHash(each.events)])];
    } else if (hashes.length > 0) {
      const hash = hashes[each.pattern % hashes.length]!;
      if (each.do === "forget") {
        changes.push({ kind: "forget", hash });
        hashes = hashes.filter((other) => other !== hash);
      } else {
        changes.push({ kind: "correct", hash, frequency: each.frequency });
      }
    }
  }
  return changes;
}

describe("what comes next", () => {
  const plays = fc.record({
    actions: fc.array(action, { maxLength: 25 }),
    stm: observed,
    question,
  });

  test("is the same, bit for bit, as counted anew in all patterns", { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(plays, fc.nat(25), ({ actions, stm, question: asked }, askedAfter) => {
        const changes = changesOf(actions);
        const replica = new NodeReplica();
        for (const [i, change] of changes.entries()) {
          // From here on the index follows the changes; before, it is not there.
          if (i === askedAfter) nextEvents(replica, stm, asked);
          replica.apply(change);
        }

        const answer = nextEvents(replica, stm, asked);

        expect(answer).toEqual(nextEventsNaively(memoryOf(changes), stm, asked));
      }),
      { numRuns: 2_000 },
    );
  });

  test("sums up to 1, and each event's reasons with their rest to its probability", () => {
    fc.assert(
      fc.property(plays, ({ actions, stm, question: asked }) => {
        const answer = nextEvents(replicaOf(changesOf(actions)), stm, asked);

        expect(Math.abs(sumOf(answer) - 1)).toBeLessThan(1e-9);
        for (const { probability, because, rest } of answer.events) {
          const listed = because.reduce((sum, { weight }) => sum + weight, 0);
          expect(Math.abs(listed + rest - probability)).toBeLessThan(1e-12);
          expect(rest).toBeGreaterThan(-1e-12);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("has for the rest what the prior gives, where all places are listed", () => {
    const letters = fc.array(fc.constantFrom(...FEW, "e", "f"), { minLength: 2, maxLength: 5 });
    const learned = fc.array(letters, { minLength: 2, maxLength: 5 });
    let compared = 0;

    fc.assert(
      fc.property(learned, fc.constantFrom(...FEW), (texts, present) => {
        const answer = nextEvents(
          replicaOf(words(...texts.map((each) => each.join("")))),
          [[present]],
          ASKED,
        );

        const tables = tablesOf(texts);
        const unseen = answer.events.find(({ because }) => because.length === 0);
        if (unseen === undefined) return;
        const perTable = unseen.probability / (tables.get(unseen.event.join()) ?? 0);
        for (const { event: each, because, rest } of answer.events) {
          if (because.length === 0 || because.length === 3) continue;
          compared += 1;
          expect(Math.abs(rest - perTable * (tables.get(each.join()) ?? 0))).toBeLessThan(1e-12);
        }
      }),
      { numRuns: 500 },
    );
    expect(compared).toBeGreaterThan(100);
  });

  test("stays the same as counted anew while more are forgotten than are kept", () => {
    const textOf = (i: number): string => (i + 10_000).toString(7);
    const changes = words(...Array.from({ length: 1_300 }, (_, i) => textOf(i)));
    const replica = replicaOf(changes);
    const stm = lettersOf(textOf(1_250).slice(0, 4));
    const before = nextEvents(replica, stm, ASKED);
    for (let i = 0; i < 1_200; i += 1) {
      const change: NodeChange = { kind: "forget", hash: patternHash(lettersOf(textOf(i))) };
      replica.apply(change);
      changes.push(change);
    }
    const packed = nextEvents(replica, stm, ASKED);
    const later = words(textOf(1_250), "41120", "0123");
    for (const change of later) replica.apply(change);
    const after = nextEvents(replica, stm, ASKED);

    expect(packed).not.toEqual(before);
    expect(replica.patterns.size).toBeLessThan(300);
    expect(packed).toEqual(nextEventsNaively(memoryOf(changes), stm, ASKED));
    expect(after).toEqual(nextEventsNaively(memoryOf([...changes, ...later]), stm, ASKED));
  });

  test("does not depend on the order of learning", () => {
    const learned = fc.array(sequence, { maxLength: 15 });
    const orders = learned.chain((sequences) =>
      fc.tuple(
        fc.constant(sequences),
        fc.shuffledSubarray(sequences, { minLength: sequences.length }),
      ),
    );

    fc.assert(
      fc.property(orders, observed, ([one, other], stm) => {
        const first = nextEvents(replicaOf(one.flatMap(learnOf)), stm, ASKED);
        const second = nextEvents(replicaOf(other.flatMap(learnOf)), stm, ASKED);

        expect(first).toEqual(second);
      }),
      { numRuns: 500 },
    );
  });

  test("is what it would be had a forgotten pattern never been learned", () => {
    const learned = fc.array(sequence, { maxLength: 10 });

    fc.assert(
      fc.property(learned, sequence, observed, (sequences, forgotten, stm) => {
        const hash = patternHash(forgotten);
        fc.pre(learnOf(forgotten).length > 0);
        const others = sequences.filter((each) => patternHash(each) !== hash).flatMap(learnOf);
        const replica = replicaOf([...learnOf(forgotten), ...others, ...learnOf(forgotten)]);
        nextEvents(replica, stm, ASKED);
        replica.apply({ kind: "forget", hash });

        expect(nextEvents(replica, stm, ASKED)).toEqual(nextEvents(replicaOf(others), stm, ASKED));
      }),
      { numRuns: 500 },
    );
  });

  test("is 'other' alone in an empty memory, and before anything was observed", () => {
    expect(nextEvents(replicaOf([]), lettersOf("a"), ASKED)).toEqual({
      events: [],
      end: 0,
      other: 1,
      confidence: 0,
      empty: "NO_PATTERNS",
    });
    expect(nextEvents(replicaOf(words("ab")), [], ASKED)).toMatchObject({
      other: 1,
      empty: "NO_SYMBOLS",
    });
  });

  test("is what followed most often, and the end where sequences ended", () => {
    const replica = replicaOf(words("abc", "abc", "abc", "abd", "xy"));

    const afterAb = nextEvents(replica, lettersOf("ab"), ASKED);
    const afterAbc = nextEvents(replica, lettersOf("abc"), ASKED);

    expect(afterAb.events[0]).toMatchObject({ event: ["c"], support: 3 });
    expect(afterAb.events[1]).toMatchObject({ event: ["d"], support: 1 });
    expect(afterAb.confidence).toBe(afterAb.events[0]?.probability);
    expect(afterAbc.end).toBeGreaterThan(0.5);
    expect(afterAbc.confidence).toBe(afterAbc.end);
  });

  test("follows the longer context where it says another thing than the shorter", () => {
    const replica = replicaOf(words("abc", "abc", "xbd", "xbd", "xbd"));

    expect(nextEvents(replica, lettersOf("ab"), ASKED).events[0]?.event).toEqual(["c"]);
    expect(nextEvents(replica, lettersOf("xb"), ASKED).events[0]?.event).toEqual(["d"]);
  });

  test("follows a longer context past an event that is always there", () => {
    const often = (text: string): string[] => Array.from({ length: 20 }, () => text);
    const replica = replicaOf(words(...often("pabc"), ...often("qabd")));

    expect(probabilityOf(nextEvents(replica, lettersOf("pab"), ASKED), "c")).toBeGreaterThan(0.9);
    expect(probabilityOf(nextEvents(replica, lettersOf("qab"), ASKED), "d")).toBeGreaterThan(0.9);
  });

  test("does not follow a longer context that says nothing new", () => {
    // What came before b makes no difference: c follows three times in four.
    const texts = ["p", "q", "r", "s", "t"].flatMap((before) =>
      ["c", "c", "c", "d"].map((next) => `${before}b${next}`),
    );
    const replica = replicaOf(words(...texts, "ubd"));

    const answer = nextEvents(replica, lettersOf("ub"), ASKED);

    expect(answer.events[0]?.event).toEqual(["c"]);
  });

  test("leaves the more to what was never learned, the more was learned once", () => {
    const repeated = replicaOf(words("abc", "abc", "abd", "abd"));
    const once = replicaOf(words("abc", "abd", "abe", "abf"));

    const known = nextEvents(repeated, lettersOf("ab"), ASKED);
    const open = nextEvents(once, lettersOf("ab"), ASKED);

    expect(open.other).toBeGreaterThan(5 * known.other);
  });

  test("leaves more to what was never learned where the session met it, and most just after", () => {
    const often = Array.from({ length: 200 }, () => words("abc", "xbc")).flat();
    const replica = replicaOf(often);
    const other = (text: string): number => nextEvents(replica, lettersOf(text), ASKED).other;

    const [never, before, after, twice] = [other("aab"), other("?ab"), other("ab?"), other("a??")];

    expect(never).toBeLessThan(0.05);
    expect(before).toBeGreaterThan(never + 0.04);
    expect(after).toBeGreaterThan(before + 0.1);
    expect(twice).toBeGreaterThan(after);
  });

  test("holds something new possible even where all is known for certain", () => {
    const replica = replicaOf(Array.from({ length: 1_000 }, () => words("abc")).flat());

    const { other } = nextEvents(replica, lettersOf("ab"), ASKED);

    expect(other).toBeGreaterThan(3 / 4_003 / 16);
    expect(other).toBeLessThan(0.001);
  });

  test("changes with the very next learn", () => {
    const replica = replicaOf(words("abc"));
    const before = nextEvents(replica, lettersOf("ab"), ASKED);
    for (const change of words("abd", "abd", "abd")) replica.apply(change);

    const after = nextEvents(replica, lettersOf("ab"), ASKED);

    expect(probabilityOf(before, "d")).toBe(0);
    expect(after.events[0]?.event).toEqual(["d"]);
  });

  test("names the pattern, and where in it the present was found", () => {
    const answer = nextEvents(replicaOf(words("xabc", "xabc", "bd")), lettersOf("xab"), ASKED);

    expect(answer.events[0]?.because).toEqual([
      {
        pattern: patternName(patternHash(lettersOf("xabc"))),
        position: 2,
        frequency: 2,
        weight: expect.any(Number),
      },
    ]);
  });

  test("is several events ahead where asked for, the end for all that are over by then", () => {
    const replica = replicaOf(words("abcd", "abcd", "ab", "xa"));
    const ahead = { limit: 10, horizon: 3 };

    const answer = nextEvents(replica, lettersOf("a"), ahead);

    expect(answer.events[0]?.event).toEqual(["d"]);
    expect(answer.end).toBeGreaterThan(0.2);
  });

  test("steps over what the node does not know", () => {
    const replica = replicaOf(words("abcd", "abcd", "bx"));

    const stepped = nextEvents(replica, [["a"], ["b"], ["never"]], ASKED);
    const unknown = nextEvents(replica, [["never"]], ASKED);

    expect(stepped.events[0]?.event).toEqual(["d"]);
    expect(unknown.events).toHaveLength(5);
    expect(unknown.events.every(({ because }) => because.length === 0)).toBe(true);
    expect(unknown.empty).toBeNull();
  });

  test("does not believe patterns that are over before what it steps over", () => {
    const texts = [
      ...Array.from({ length: 50 }, () => "ab"),
      ...Array.from({ length: 5 }, () => "abcd"),
    ];
    const replica = replicaOf(words(...texts));

    const { events, end } = nextEvents(replica, [["a"], ["b"], ["never"]], ASKED);

    expect(events[0]).toMatchObject({ event: ["d"], support: 5 });
    expect(end).toBeLessThan(0.2);
  });

  test("takes an event with all its symbols in their order", () => {
    const replica = replicaOf([
      ...learnOf([["a", "b"], ["c"]]),
      ...learnOf([["b", "a"], ["d"]]),
      ...learnOf([["VCTR|1", "a"], ["e"], ["a", "b"]]),
    ]);

    expect(nextEvents(replica, [["a", "b"]], ASKED).events[0]?.event).toEqual(["c"]);
    expect(nextEvents(replica, [["b", "a"]], ASKED).events[0]?.event).toEqual(["d"]);
    expect(nextEvents(replica, [["VCTR|1", "a"], ["e"]], ASKED).events[0]?.event).toEqual([
      "a",
      "b",
    ]);
  });

  test("takes an event of vectors for the one that shares most of their names", () => {
    const replica = replicaOf([
      ...learnOf([["VCTR|1", "VCTR|2", "x"], ["c"]]),
      ...learnOf([["VCTR|2", "VCTR|3", "x"], ["d"]]),
      ...learnOf([["VCTR|2", "VCTR|3", "VCTR|4", "y"], ["e"]]),
    ]);
    const best = (event: Event) => nextEvents(replica, [event], ASKED).events[0];

    const moved = best(["VCTR|2", "VCTR|3", "VCTR|4", "x"]);
    const unknown = best(["VCTR|1", "VCTR|never", "x"]);

    expect(moved).toMatchObject({ event: ["d"], support: 1 });
    expect(unknown).toMatchObject({ event: ["c"], support: 1 });
  });

  test("takes an event for the known one that has half of all symbols and most of them", () => {
    const replica = replicaOf([
      ...learnOf([["a", "b", "c", "d"], ["x"]]),
      ...learnOf([["a", "b", "e"], ["y"]]),
      ...learnOf([["f", "g", "h"], ["z"]]),
    ]);
    const supportAfter = (...symbols: Event): [Event | undefined, number | undefined] => {
      const [first] = nextEvents(replica, [symbols], ASKED).events;
      return [first?.event, first?.support];
    };

    expect(supportAfter("a", "b", "c")).toEqual([["x"], 1]);
    expect(supportAfter("a", "b", "c", "d", "never")).toEqual([["x"], 1]);
    expect(supportAfter("a", "e")).toEqual([["y"], 1]);
    expect(supportAfter("f", "x", "y")[1]).toBe(0);
  });

  test("looks at no more of what was observed than contexts reach", () => {
    const replica = replicaOf(words("abcdefgh"));
    let read = 0;
    const stm = Array.from({ length: 500 }, () => ["a"]).concat(lettersOf("bcdefg"));
    const watched = new Proxy(stm, {
      get(target, property) {
        read += Number(/^\d+$/.test(String(property)));
        return Reflect.get(target, property) as unknown;
      },
    });

    expect(nextEvents(replica, watched, ASKED)).toEqual(nextEvents(replica, stm, ASKED));
    expect(read).toBeLessThan(20);
  });

  test("leaves to 'other' what is beyond the limit", () => {
    const replica = replicaOf(words("abc", "abd", "abe", "abf"));

    const few = nextEvents(replica, lettersOf("ab"), { limit: 1, horizon: 1 });
    const all = nextEvents(replica, lettersOf("ab"), ASKED);

    expect(few.events).toEqual(all.events.slice(0, 1));
    expect(few.end).toBe(all.end);
    expect(few.other).toBeGreaterThan(all.other + 0.2);
  });
});

describe("an interrupt", () => {
  test("that throws ends the answer", () => {
    const replica = replicaOf(words("ab"));
    const interrupt = (): void => {
      throw new Error("too late");
    };

    expect(() => nextEvents(replica, lettersOf("a"), { ...ASKED, interrupt })).toThrow("too late");
  });

  test("keeps what was made so far, whatever changes meanwhile", () => {
    const textOf = (i: number): string => (i + 10_000).toString(7);
    const changes = words(...Array.from({ length: 1_500 }, (_, i) => textOf(i)));
    const replica = replicaOf(changes);
    const stm = lettersOf(textOf(1_400).slice(0, 4));
    const withPauses = (pauses: number) => {
      let left = pauses;
      const interrupt = (): void => {
        left -= 1;
        if (left < 0) throw new Error("too late");
      };
      return () => nextEvents(replica, stm, { ...ASKED, interrupt });
    };

    let attempts = 1;
    for (; ; attempts += 1) {
      try {
        withPauses(5)();
        break;
      } catch (error) {
        expect(error).toMatchObject({ message: "too late" });
      }
      const meanwhile: NodeChange[] = [
        ...words(textOf(attempts), `${textOf(attempts)}8`, textOf(1_490)),
        { kind: "forget", hash: patternHash(lettersOf(textOf(200 + attempts))) },
        { kind: "forget", hash: patternHash(lettersOf(textOf(1_300 + attempts))) },
      ];
      for (const change of meanwhile) replica.apply(change);
      changes.push(...meanwhile);
      expect(attempts).toBeLessThan(50);
    }

    expect(attempts).toBeGreaterThan(3);
    expect(nextEvents(replica, stm, ASKED)).toEqual(
      nextEventsNaively(memoryOf(changes), stm, ASKED),
    );
  });
});
