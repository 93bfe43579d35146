import { randomInt } from "node:crypto";
import { onTestFailed } from "vitest";

const VARIABLE = "CHAOS_SEED";

/** The seed of the running test: `CHAOS_SEED`, else one drawn anew. Printed when the test fails, so that it can be repeated. */
export function chaosSeed(): number {
  const given = process.env[VARIABLE];
  const seed = given === undefined ? randomInt(2 ** 31) : Number(given);
  if (!Number.isSafeInteger(seed)) throw new Error(`${VARIABLE} is no whole number: ${given}`);
  onTestFailed(() => console.error(`repeat this test with ${VARIABLE}=${seed}`));
  return seed;
}
