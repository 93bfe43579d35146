import { randomFrom } from "../../support/random.ts";
import type { Sequence } from "@kato-rpc/server/cli/evaluate/splits.ts";

/** A block-structured process; an activity is a leaf. Choices and loops have odds by kind of case. */
type Block =
  | { kind: "activity"; name: string }
  | { kind: "sequence" | "parallel"; blocks: Block[] }
  | { kind: "choice"; blocks: Block[]; odds: number[][] }
  | { kind: "loop"; block: Block; again: number[] };

/** Kinds of cases: which one a case is shows only in what it does. */
const CASE_KINDS = 3;
const MOST_REPEATS = 5;

/**
 * Cases of a random process tree: sequences, parallel blocks in any interleaving, choices and loops, as in van der Aalst
 * 2016, "Process Mining: Data Science in Action" §3.2.8. Some choices and loops have odds that depend on the kind of the case,
 * so that what was chosen early tells of what is chosen late. With odds of `noise` an event is left out, done twice, put
 * before the one that it follows, or one of any activity.
 */
export function processTreeSource(options: {
  activities: number;
  /** Odds that a choice or a loop depends on the kind of the case. */
  dependence: number;
  noise: number;
  count: number;
  seed: number;
}): Sequence[] {
  const { activities, dependence, noise, count } = options;
  const random = randomFrom(options.seed);
  const below = (size: number): number => Math.floor(random() * size);
  const chance = (odds: number): boolean => random() < odds;
  const byKind = (draw: () => number[]): number[][] => {
    const common = draw();
    const depends = chance(dependence);
    return Array.from({ length: CASE_KINDS }, () => (depends ? draw() : common));
  };
  let named = 0;

  const grow = (leaves: number): Block => {
    if (leaves === 1) {
      named += 1;
      // Now and then one activity is done at two places.
      return { kind: "activity", name: `a${chance(0.1) ? below(named) : named}` };
    }
    const drawn = random();
    if (drawn < 0.12) {
      const again = byKind(() => [0.1 + 0.5 * random()]).flat();
      return { kind: "loop", block: grow(leaves), again };
    }
    const parts = split(leaves, Math.min(leaves, 2 + below(3)));
    const blocks = parts.map(grow);
    if (drawn < 0.5) return { kind: "sequence", blocks };
    if (drawn < 0.62 && leaves < 7) return { kind: "parallel", blocks };
    return { kind: "choice", blocks, odds: byKind(() => blocks.map(() => random() ** 3)) };
  };
  const split = (leaves: number, parts: number): number[] => {
    const sizes = Array.from({ length: parts }, () => 1);
    for (let left = leaves - parts; left > 0; left -= 1) {
      const part = below(parts);
      sizes[part] = (sizes[part] ?? 0) + 1;
    }
    return sizes;
  };

  const play = (block: Block, kind: number): string[] => {
    switch (block.kind) {
      case "activity":
        return [block.name];
      case "sequence":
        return block.blocks.flatMap((each) => play(each, kind));
      case "parallel":
        return interleave(block.blocks.map((each) => play(each, kind)));
      case "choice": {
        const odds = block.odds[kind] ?? [];
        let left = random() * odds.reduce((sum, each) => sum + each, 0);
        const chosen = block.blocks.find((_each, i) => (left -= odds[i] ?? 0) <= 0);
        return chosen === undefined ? [] : play(chosen, kind);
      }
      case "loop": {
        const events = play(block.block, kind);
        for (let i = 0; i < MOST_REPEATS && chance(block.again[kind] ?? 0); i += 1) {
          events.push(...play(block.block, kind));
        }
        return events;
      }
    }
  };
  const interleave = (lists: readonly string[][]): string[] => {
    const left = lists.map((list) => [...list]);
    const merged: string[] = [];
    for (let count = left.flat().length; count > 0; count -= 1) {
      const open = left.filter((list) => list.length > 0);
      merged.push(open[below(open.length)]?.shift() ?? "");
    }
    return merged;
  };
  const disturb = (events: readonly string[]): string[] => {
    const disturbed: string[] = [];
    for (const event of events) {
      const kind = chance(noise) ? below(4) : -1;
      if (kind === 0) continue;
      if (kind === 1) disturbed.push(event);
      if (kind === 2) disturbed.splice(-1, 0, event);
      else disturbed.push(kind === 3 ? `a${below(named)}` : event);
    }
    return disturbed;
  };

  const main = { kind: "sequence" as const, blocks: split(activities, 3).map(grow) };
  return Array.from({ length: count }, () => {
    const kind = Math.floor(random() ** 2 * CASE_KINDS);
    return ["start", ...disturb(play(main, kind))];
  });
}
