/** Turns of the event loop until `condition` holds, or `limit` of them. */
export async function turnsUntil(condition: () => boolean, limit: number): Promise<number> {
  let turns = 0;
  while (!condition() && turns < limit) {
    await new Promise(setImmediate);
    turns += 1;
  }
  return turns;
}
