import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { FrequentEvents } from "@kato-rpc/server/engine/next/frequent-events.ts";

const OUTCOMES = 400;

/** Tables by outcome; 0 is the end. Equal ones are in order of their numbers, the greatest first. */
class Tables {
  readonly #tables: number[];
  readonly ids: { size: number };

  constructor(outcomes = OUTCOMES) {
    this.#tables = Array.from({ length: outcomes }, () => 0);
    this.ids = { size: outcomes - 1 };
  }

  get known(): number {
    return this.#tables.slice(1).filter((tables) => tables > 0).length;
  }

  tablesOf(outcome: number): number {
    return this.#tables[outcome] ?? 0;
  }

  set(outcome: number, tables: number): void {
    this.#tables[outcome] = tables;
  }

  sorted(): number[] {
    return this.#tables
      .map((_tables, outcome) => outcome)
      .filter((outcome) => outcome > 0 && this.tablesOf(outcome) > 0)
      .toSorted((a, b) => this.tablesOf(b) - this.tablesOf(a) || byNumber(a, b));
  }
}

function byNumber(a: number, b: number): number {
  return b - a;
}

function firstOf(outcomes: Iterable<number>, count: number): number[] {
  const first: number[] = [];
  for (const outcome of outcomes) if (first.push(outcome) === count) break;
  return first;
}

describe("the events of most tables", () => {
  test("are those of a sort, however many changed and are asked for", () => {
    const change = fc.tuple(fc.nat(OUTCOMES - 1), fc.nat(6));
    const changes = fc.array(change, { maxLength: 60 });
    const many = fc.array(change, { minLength: 500, maxLength: 1_500, size: "max" });
    const step = fc.record({
      changes: fc.oneof({ weight: 5, arbitrary: changes }, { weight: 1, arbitrary: many }),
      asked: fc.constantFrom(1, 10, 63, 64, 65, 200, 256, 257, OUTCOMES),
    });

    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const tables = new Tables();
        const frequent = new FrequentEvents(tables);
        for (const each of steps) {
          for (const [outcome, count] of each.changes) {
            tables.set(outcome, count);
            frequent.note(outcome);
          }

          const listed = firstOf(frequent.inOrder(byNumber), each.asked);

          expect(listed).toEqual(tables.sorted().slice(0, each.asked));
        }
      }),
      { numRuns: 200 },
    );
  });

  test("are not all kept in order after one request for all", () => {
    const tables = new Tables(4_000);
    for (let outcome = 1; outcome < 4_000; outcome += 1) tables.set(outcome, 3);
    const frequent = new FrequentEvents(tables);
    let compared = 0;
    const compare = (a: number, b: number): number => {
      compared += 1;
      return byNumber(a, b);
    };
    firstOf(frequent.inOrder(compare), 4_000);
    frequent.note(1);
    firstOf(frequent.inOrder(compare), 10);
    frequent.note(2);
    compared = 0;

    firstOf(frequent.inOrder(compare), 10);

    expect(compared).toBeLessThan(1_000);
    expect(frequent.sizeBytes).toBeLessThan(4_100);
  });

  test("are not all looked at for each call", () => {
    const tables = new Tables();
    for (let outcome = 1; outcome < OUTCOMES; outcome += 1) tables.set(outcome, outcome);
    const frequent = new FrequentEvents(tables);
    let compared = 0;
    const compare = (a: number, b: number): number => {
      compared += 1;
      return byNumber(a, b);
    };
    const first = firstOf(frequent.inOrder(compare), 10);
    tables.set(1, 1_000);
    frequent.note(1);
    compared = 0;

    const second = firstOf(frequent.inOrder(compare), 10);

    expect(second).toEqual([1, ...first.slice(0, 9)]);
    expect(compared).toBeLessThan(10);
  });
});
