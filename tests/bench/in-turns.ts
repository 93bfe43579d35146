import { spreadOf } from "./spread.ts";

/**
 * Runs every target once per round, each round beginning with another one, so that a machine that grows slow hits all
 * of them alike. Gives each target's results in the order of the rounds.
 */
export async function inTurns<T>(
  targets: readonly (() => Promise<T>)[],
  { rounds, onRound }: { rounds: number; onRound: () => void },
): Promise<T[][]> {
  const results: T[][] = targets.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (let i = 0; i < targets.length; i += 1) {
      const index = (round + i) % targets.length;
      results[index]!.push(await targets[index]!());
    }
    onRound();
  }
  return results;
}

/** Of every figure its median over the rounds. */
export function mediansOf<Name extends string>(
  rounds: readonly Record<Name, number>[],
): Record<Name, number> {
  const names = Object.keys(rounds[0] ?? {}) as Name[];
  return Object.fromEntries(
    names.map((name) => [name, spreadOf(rounds.map((figures) => figures[name])).median]),
  ) as Record<Name, number>;
}
