import * as fc from "fast-check";

import { learnPattern } from "@kato-rpc/server/engine/learning.ts";
import type { NodeChange } from "@kato-rpc/server/engine/node-change.ts";
import type { Event } from "@kato-rpc/shared/observation.ts";
import type { MemoryNodeStore } from "./memory-node-store.ts";

/** Few, so that patterns are learned again and share symbols; some of a kind that is easily written wrong. */
export const SYMBOLS = ["a", "b", "c", "d", "é😀", "__proto__", 'with "quotes"', "\\"];

const EMOTIVES = ["joy", "__proto__", "\\", "\n"];

const event = fc.array(fc.constantFrom(...SYMBOLS), { minLength: 1, maxLength: 2 });
export const events: fc.Arbitrary<Event[]> = fc.array(event, { minLength: 1, maxLength: 3 });

const learn = fc.record({
  do: fc.constant("learn" as const),
  events,
  emotive: fc.option(
    fc.record({ name: fc.constantFrom(...EMOTIVES), value: fc.constantFrom(0.1, 0.2, -0.3, 7) }),
    { nil: undefined },
  ),
  book: fc.option(fc.constantFrom("x", "y", "😀", "\ue000"), { nil: undefined }),
  vector: fc.option(fc.tuple(fc.constantFrom("v", "w", "x", "y"), fc.integer({ min: 0, max: 9 })), {
    nil: undefined,
  }),
});

const change = fc.record({
  do: fc.constantFrom("correct" as const, "forget" as const),
  pattern: fc.nat(20),
  frequency: fc.integer({ min: 1, max: 9 }),
});

const finalize = fc.record({ do: fc.constant("finalize" as const) });
const clear = fc.record({ do: fc.constant("clear" as const) });

export const action = fc.oneof(
  { weight: 24, arbitrary: learn },
  { weight: 8, arbitrary: change },
  { weight: 1, arbitrary: fc.oneof(finalize, clear) },
);

/** What is done to a node; what names no pattern comes to nothing. */
export type Action = typeof action extends fc.Arbitrary<infer Each> ? Each : never;

export function perform(store: MemoryNodeStore, tag: string, action: Action): void {
  const change = changeOf(
    action,
    [...store.memory(tag).patterns()].map(({ hash }) => hash),
  );
  if (change !== undefined) store.commit(tag, change);
}

/** undefined when nothing comes of it; `hashes` are the node's patterns. */
export function changeOf(action: Action, hashes: readonly string[]): NodeChange | undefined {
  if (action.do === "finalize" || action.do === "clear") return { kind: action.do };
  if (action.do === "learn") {
    const { events, emotive, book, vector } = action;
    const vectors = vector === undefined ? [] : [{ name: vector[0], vector: [vector[1], 1] }];
    const outcome = learnPattern({
      events,
      emotives: emotive === undefined ? [] : [Object.fromEntries([[emotive.name, emotive.value]])],
      metadata: book === undefined ? [] : [{ book }],
      persistence: 2,
      vectors,
    });
    return outcome.learned ?? outcome.vectors ?? undefined;
  }
  const hash = hashes[action.pattern % Math.max(1, hashes.length)];
  if (hash === undefined) return undefined;
  const { frequency } = action;
  return action.do === "forget"
    ? { kind: "forget", hash }
    : { kind: "correct", hash, frequency, emotives: [{ joy: frequency }] };
}
