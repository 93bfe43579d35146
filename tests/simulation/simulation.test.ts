import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { promisify } from "node:util";
import { expect, onTestFailed, test } from "vitest";
import type { Sabotage } from "./sabotages.ts";
import { SABOTAGES } from "./sabotages.ts";
import { runSchedule } from "./schedule.ts";
import { runSchedules } from "./totals.ts";

const run = promisify(execFile);
const MAIN = new URL("main.ts", import.meta.url).pathname;

/** Of few schedules, so that each of them is among the first of any run. */
const SCHEDULES_TO_FIND_A_MISTAKE = 2_000;

test("keeps every promise through faults of every kind", async () => {
  const first = randomInt(2 ** 31);
  const { failures, ...counted } = await runSchedules({ first, count: 2_000 });
  const [failure] = failures;
  onTestFailed(() => {
    if (failure === undefined) return;
    console.error(`play it again: SIMULATION_SEED=${failure.seed} npm run test:simulation`);
  });

  expect(failures).toEqual([]);
  const { faults, conflicts, unknown, calls, requests } = counted;
  expect(Object.entries(faults).filter(([, count]) => count === 0)).toEqual([]);
  expect(conflicts).toBeGreaterThan(100);
  expect(unknown).toBeGreaterThan(100);
  expect(unknown).toBeLessThan(calls / 2);
  expect(requests).toBeGreaterThan(calls / 4);
});

test.for(Object.entries<Sabotage>(SABOTAGES))(
  "finds out a service that %s",
  async ([, sabotage]) => {
    const options = { sabotage };
    let found: string[] = [];
    for (let seed = 0; seed < SCHEDULES_TO_FIND_A_MISTAKE && found.length === 0; seed += 1) {
      found = (await runSchedule(seed, options)).violations;
    }
    expect(found).not.toEqual([]);
  },
);

test("plays the same seed the same way, in any process", async () => {
  const seeds = Array.from({ length: 20 }, () => randomInt(2 ** 31));
  for (const seed of seeds) {
    const played = await runSchedule(seed, { traces: true });
    expect(await runSchedule(seed, { traces: true })).toEqual(played);
    expect(played.trace).not.toEqual([]);
  }
  const [seed = 0] = seeds;
  const env = { ...process.env, SIMULATION_SEED: String(seed), SIMULATION_SCHEDULES: "" };
  const { stdout } = await run("node", [MAIN], { env });
  const { trace } = await runSchedule(seed, { traces: true });
  expect(stdout.split("\n")).toEqual([...trace, "1 passed, 0 failed", ""]);
});

test("plays other seeds another way", async () => {
  const seeds = Array.from({ length: 50 }, (_, i) => i);
  const played = await Promise.all(seeds.map((seed) => runSchedule(seed, { traces: true })));
  expect(new Set(played.map(({ trace }) => trace.join("\n"))).size).toBe(seeds.length);
});
