import type { Sequence } from "@kato-rpc/server/cli/evaluate/splits.ts";
import { randomFrom } from "../../support/random.ts";

/** A block-structured process; an activity is a leaf. Choices and loops have odds by kind of case. */
type Block =
  | { kind: "activity"; name: string }
  | { kind: "sequence" | "parallel"; blocks: Block[] }
  | { kind: "choice"; blocks: Block[]; odds: number[][] }
  | { kind: "loop"; block: Block; again: number[] };

export interface ProcessTreeOptions {
  activities: number;
  /** Odds that a choice or a loop depends on the kind of the case. */
  dependence: number;
  noise: number;
  count: number;
  seed: number;
}

/** Kinds of cases: which one a case is shows only in what it does. */
const CASE_KINDS = 3;
const MOST_REPEATS = 5;

/**
 * Cases of a random process tree: sequences, parallel blocks in any interleaving, choices and loops, as in van der Aalst
 * 2016, "Process Mining: Data Science in Action" §3.2.8. Some choices and loops have odds that depend on the kind of the case,
 * so that what was chosen early tells of what is chosen late. With odds of `noise` an event is left out, done twice, put
 * before the one that it follows, or one of any activity.
 */
export function processTreeSource(options: ProcessTreeOptions): Sequence[] {
  const dice = new Dice(options.seed);
  const growth: Growth = { dice, dependence: options.dependence, named: 0 };
  const main: Block = {
    kind: "sequence",
    blocks: split(options.activities, 3, dice).map((leaves) => grow(leaves, growth)),
  };
  return Array.from({ length: options.count }, () => {
    const kind = Math.floor(dice.draw() ** 2 * CASE_KINDS);
    const events = play(main, kind, dice);
    return ["start", ...disturb(events, { dice, noise: options.noise, named: growth.named })];
  });
}

class Dice {
  readonly draw: () => number;

  constructor(seed: number) {
    this.draw = randomFrom(seed);
  }

  below(size: number): number {
    return Math.floor(this.draw() * size);
  }

  chance(odds: number): boolean {
    return this.draw() < odds;
  }
}

interface Growth {
  dice: Dice;
  dependence: number;
  /** Activities named so far: `a1` on. */
  named: number;
}

function grow(leaves: number, growth: Growth): Block {
  const { dice } = growth;
  if (leaves === 1) return nameActivity(growth);
  const drawn = dice.draw();
  if (drawn < 0.12) {
    const again = oddsByKind(growth, () => [0.1 + 0.5 * dice.draw()]).flat();
    return { kind: "loop", block: grow(leaves, growth), again };
  }
  const parts = split(leaves, Math.min(leaves, 2 + dice.below(3)), dice);
  const blocks = parts.map((part) => grow(part, growth));
  if (drawn < 0.5) return { kind: "sequence", blocks };
  if (drawn < 0.62 && leaves < 7) return { kind: "parallel", blocks };
  const odds = oddsByKind(growth, () => blocks.map(() => dice.draw() ** 3));
  return { kind: "choice", blocks, odds };
}

/** Now and then one activity is done at two places. */
function nameActivity(growth: Growth): Block {
  growth.named += 1;
  const { dice, named } = growth;
  return { kind: "activity", name: `a${dice.chance(0.1) ? dice.below(named) : named}` };
}

/** The same for all kinds of cases, or drawn for each. */
function oddsByKind({ dice, dependence }: Growth, draw: () => number[]): number[][] {
  const common = draw();
  const depends = dice.chance(dependence);
  return Array.from({ length: CASE_KINDS }, () => (depends ? draw() : common));
}

/** Sizes of at least 1 that add up to the leaves. */
function split(leaves: number, parts: number, dice: Dice): number[] {
  const sizes = Array.from({ length: parts }, () => 1);
  for (let left = leaves - parts; left > 0; left -= 1) {
    const part = dice.below(parts);
    sizes[part] = (sizes[part] ?? 0) + 1;
  }
  return sizes;
}

function play(block: Block, kind: number, dice: Dice): string[] {
  switch (block.kind) {
    case "activity":
      return [block.name];
    case "sequence":
      return block.blocks.flatMap((each) => play(each, kind, dice));
    case "parallel":
      return interleave(
        block.blocks.map((each) => play(each, kind, dice)),
        dice,
      );
    case "choice": {
      const chosen = choose(block.blocks, block.odds[kind] ?? [], dice);
      return chosen === undefined ? [] : play(chosen, kind, dice);
    }
    case "loop": {
      const events = play(block.block, kind, dice);
      const again = block.again[kind] ?? 0;
      for (let i = 0; i < MOST_REPEATS && dice.chance(again); i += 1) {
        events.push(...play(block.block, kind, dice));
      }
      return events;
    }
  }
}

function choose(blocks: readonly Block[], odds: readonly number[], dice: Dice): Block | undefined {
  let left = dice.draw() * odds.reduce((sum, each) => sum + each, 0);
  return blocks.find((_each, i) => (left -= odds[i] ?? 0) <= 0);
}

function interleave(lists: readonly string[][], dice: Dice): string[] {
  const left = lists.map((list) => [...list]);
  const merged: string[] = [];
  for (let count = left.flat().length; count > 0; count -= 1) {
    const open = left.filter((list) => list.length > 0);
    merged.push(open[dice.below(open.length)]?.shift() ?? "");
  }
  return merged;
}

function disturb(
  events: readonly string[],
  { dice, noise, named }: { dice: Dice; noise: number; named: number },
): string[] {
  const disturbed: string[] = [];
  for (const event of events) {
    const kind = dice.chance(noise) ? dice.below(4) : -1;
    if (kind === 0) continue;
    if (kind === 1) disturbed.push(event);
    if (kind === 2) disturbed.splice(-1, 0, event);
    else disturbed.push(kind === 3 ? `a${dice.below(named)}` : event);
  }
  return disturbed;
}
