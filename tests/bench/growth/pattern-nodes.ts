import { NodeReplica } from "../../../server/engine/index/node-replica.ts";
import { learnPattern } from "../../../server/engine/learning.ts";
import type { LearnedPattern } from "../../../server/engine/node-change.ts";
import { randomFrom } from "../../support/random.ts";
import { drawEvents, PATTERN_SEED, PATTERN_SYMBOLS } from "../random-patterns.ts";

/** Random patterns one after another, no two of them equal. */
export function* drawPatterns(seed = PATTERN_SEED): Generator<LearnedPattern> {
  const random = randomFrom(seed);
  const drawn = new Set<string>();
  for (;;) {
    const events = drawEvents(random, PATTERN_SYMBOLS);
    const rest = { emotives: [], metadata: [], persistence: 5, vectors: [] };
    const { learned } = learnPattern({ events, ...rest });
    if (learned === null || drawn.has(learned.hash)) continue;
    drawn.add(learned.hash);
    yield learned;
  }
}

/** The next so many. */
export function take<T>(values: Iterator<T>, count: number): T[] {
  const taken: T[] = [];
  while (taken.length < count) {
    const next = values.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}

export function buildReplica(patterns: number): NodeReplica {
  const node = new NodeReplica();
  for (const learned of take(drawPatterns(), patterns)) node.apply(learned);
  return node;
}
