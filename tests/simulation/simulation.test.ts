import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { promisify } from "node:util";
import { expect, onTestFailed, test } from "vitest";
import { observe } from "../support/history/calls.ts";
import { findOvertaken } from "./check-order.ts";
import { SABOTAGES } from "./sabotages.ts";
import { runSchedule } from "./schedule.ts";
import { runSchedules } from "./totals.ts";

const run = promisify(execFile);
const MAIN = new URL("main.ts", import.meta.url).pathname;

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

test.for(Object.entries(SABOTAGES))("finds out a service that %s", async ([, sabotage]) => {
  const options = { sabotage };
  let found: string[] = [];
  for (let seed = 0; seed < SCHEDULES_TO_FIND_A_MISTAKE && found.length === 0; seed += 1) {
    found = (await runSchedule(seed, options)).violations;
  }
  expect(found).not.toEqual([]);
});

test("plays the same seed the same way, in any process", async () => {
  const seeds = Array.from({ length: 20 }, () => randomInt(2 ** 31));
  for (const seed of seeds) {
    const played = await runSchedule(seed, { traces: true });
    expect(await runSchedule(seed, { traces: true })).toEqual(played);
    expect(played.trace).not.toEqual([]);
  }
  const [seed = 0] = seeds;
  const { lines } = await main({ SIMULATION_SEED: String(seed) });
  const { trace } = await runSchedule(seed, { traces: true });
  expect(lines).toEqual([...trace, "1 passed, 0 failed"]);
});

test("plays other seeds another way", async () => {
  const seeds = Array.from({ length: 50 }, (_, i) => i);
  const played = await Promise.all(seeds.map((seed) => runSchedule(seed, { traces: true })));
  expect(new Set(played.map(({ trace }) => trace.join("\n"))).size).toBe(seeds.length);
});

test("ends in failure with a seed and what happened, when a promise is broken", async () => {
  const SIMULATION_SABOTAGE = "commits on whatever version there is";
  const found = await main({ SIMULATION_SABOTAGE, SIMULATION_SCHEDULES: "500" });

  expect(found.code).toBe(1);
  const seeds = [...found.lines.join("\n").matchAll(/SIMULATION_SEED=(\d+)/g)];
  const seed = seeds[0]?.[1] ?? "none";
  expect(found.lines.at(-1)).toBe("0 passed, 1 failed");

  const again = await main({ SIMULATION_SABOTAGE, SIMULATION_SEED: seed });
  expect(again.code).toBe(1);
  expect(again.lines.at(-1)).toBe("0 passed, 1 failed");
  expect(found.lines.join("\n")).toContain(again.lines.slice(0, -1).join("\n"));

  const sound = await main({ SIMULATION_SEED: seed });
  expect(sound).toMatchObject({ code: 0, lines: expect.arrayContaining(["1 passed, 0 failed"]) });
});

test("notices calls of one client that overtake each other", () => {
  const first = observe([1, 5], ["a"], { id: "first", time: 2 });
  const second = observe([2, 6], ["b"], { id: "second", time: 1 });

  expect(findOvertaken([first, second], [first, second])).toEqual([
    "observe second, made after observe first, has time 1 before 2",
  ]);
  expect(findOvertaken([second, first], [first, second])).toEqual([]);
});

/** Runs the command, with these variables alone. */
async function main(variables: NodeJS.ProcessEnv): Promise<{ code: number; lines: string[] }> {
  const unset = { SIMULATION_SEED: "", SIMULATION_SCHEDULES: "", SIMULATION_SABOTAGE: "" };
  const env = { ...process.env, ...unset, ...variables };
  const ended = await run(process.execPath, [MAIN], { env }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: { code: number; stdout: string }) => error,
  );
  return { code: ended.code, lines: ended.stdout.trimEnd().split("\n") };
}
