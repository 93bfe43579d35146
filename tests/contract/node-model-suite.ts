import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Emotives, Event, Metadata } from "@kato-rpc/shared/observation.ts";
import type { CorrectedPattern, NamedVector } from "../../server/engine/node-change.ts";
import { metadataOfPairs } from "../../server/engine/pattern-metadata.ts";
import type { NodeMutation, NodeStore } from "../../server/stores/node-store.ts";
import type { OpenStore } from "../../server/stores/open-store.ts";
import type { Learn } from "../../server/stores/session-store.ts";
import { ModelNode } from "./model-node.ts";
import { followLog, learnAll, learnOf, readNode, replayLog, TAG } from "./node-builders.ts";
import type { OpenPlace } from "./store-place.ts";

type Correction = Omit<CorrectedPattern, "kind" | "hash">;

/** `slot` picks one of the patterns there are; without any, one that is unknown. */
type Change =
  | { kind: "learns"; learns: Learn[] }
  | { kind: "correct"; slot: number; correction: Correction }
  | { kind: "forget"; slot: number }
  | { kind: "finalize" | "clear" };

const symbol = fc.constantFrom("a", "b", "c", "", "a\0", "__proto__", "\uFFFD", "😀");
const name = fc.constantFrom("joy", "fear", "", "__proto__", "constructor", "a:{}*\\\"'\n\0");
const value = fc.oneof(
  fc.constantFrom(0, -0, 0.1, 0.2, 1e308, -1e308, 5e-324),
  fc.double({ noDefaultInfinity: true, noNaN: true }),
);

/** Few patterns, so that many learns are of the same. */
const events: fc.Arbitrary<Event[]> = fc
  .array(fc.array(symbol, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 2 })
  .filter((all) => all.flat().length > 1);

const emotives: fc.Arbitrary<Emotives[]> = fc.array(fc.dictionary(name, value, { maxKeys: 3 }), {
  maxLength: 4,
});
const metadata: fc.Arbitrary<Metadata[]> = fc.array(
  fc.dictionary(name, fc.oneof(name, fc.integer(), fc.boolean()), { maxKeys: 2 }),
  { maxLength: 2 },
);
/** Of two numbers for the most part: now and then a commit is refused. */
const vector: fc.Arbitrary<NamedVector> = fc.record({
  name: fc.constantFrom("v1", "v2", "v3", "\0"),
  vector: fc.oneof<fc.MaybeWeightedArbitrary<number[]>[]>(
    { weight: 12, arbitrary: fc.tuple(value, value) },
    { weight: 2, arbitrary: fc.constant<number[]>([]) },
    { weight: 1, arbitrary: fc.tuple(value, value, value) },
  ),
});
const vectors = fc.array(vector, { maxLength: 2 });
const persistence = fc.constantFrom(1, 3, 5);

const learn: fc.Arbitrary<Learn> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({ events, emotives, metadata, vectors, persistence })
      .map((learning) => learnOf(learning.events, learning)),
  },
  fc.record({ kind: fc.constant("index-vectors" as const), vectors }),
);

const slot = fc.nat(9);
const correction: fc.Arbitrary<Correction> = fc.record(
  {
    frequency: fc.integer({ min: 1, max: 20 }),
    emotives,
    metadata: fc.array(fc.tuple(name, name), { maxLength: 4 }).map(metadataOfPairs),
  },
  { requiredKeys: [] },
);

const changes: fc.Arbitrary<Change[]> = fc.array(
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant("learns" as const),
        learns: fc.array(learn, { maxLength: 4 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant("correct" as const), slot, correction }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("forget" as const), slot }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("finalize" as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const) }) },
  ),
  { maxLength: 25, size: "max" },
);

function mutationOf(change: Exclude<Change, { kind: "learns" }>, model: ModelNode): NodeMutation {
  if (change.kind !== "correct" && change.kind !== "forget") return { kind: change.kind };
  const hashes = model.hashes();
  const hash = hashes[change.slot % hashes.length] ?? "0".repeat(40);
  return change.kind === "forget"
    ? { kind: "forget", hash }
    : { kind: "correct", hash, ...change.correction };
}

/** Makes the change in store and model; both must answer alike. */
async function perform(store: OpenStore, model: ModelNode, change: Change): Promise<void> {
  if (change.kind === "learns") {
    const { learns } = change;
    const expected = outcomeOf(() => model.applyAll(learns));
    expect(await learnAll(store, learns).catch(codeOf)).toEqual(expected);
    return;
  }
  const mutation = mutationOf(change, model);
  const expected = outcomeOf(() => {
    model.apply(mutation);
    return model.hashes().length;
  });
  expect(await makeChange(store.nodes, mutation)).toEqual(expected);
}

async function makeChange(nodes: NodeStore, mutation: NodeMutation): Promise<unknown> {
  try {
    return (await nodes.change(TAG, mutation)).patterns;
  } catch (error) {
    return codeOf(error);
  }
}

function outcomeOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(error: unknown): unknown {
  const { code } = error as { code?: string };
  if (code === "PATTERN_NOT_FOUND" || code === "VECTOR_DIMENSION_MISMATCH") return code;
  throw error;
}

export function describeNodeAgainstModel(openPlace: OpenPlace): void {
  describe("any sequence of changes", () => {
    test("leaves what the plain model of a node's memory holds, and so does the log replayed", async () => {
      await fc.assert(
        fc.asyncProperty(changes, fc.integer({ min: 1, max: 5 }), async (script, limit) => {
          await using place = await openPlace();
          const store = await place.open();
          const model = new ModelNode();

          for (const change of script) await perform(store, model, change);

          const expected = model.contents();
          expect(await readNode(store.nodes, { limit })).toEqual(expected);
          const log = await followLog(store.nodes, { limit });
          expect(replayLog(log).contents()).toEqual(expected);
        }),
        { numRuns: 60 },
      );
    });
  });
}
