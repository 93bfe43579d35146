import { existsSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { setup, teardown } from "../support/global-setup.ts";
import { startProcess } from "../support/processes.ts";
import { RUN_DIRECTORY_VARIABLE } from "../support/run-directory.ts";

const outerDirectory = process.env[RUN_DIRECTORY_VARIABLE];

afterEach(() => {
  process.env[RUN_DIRECTORY_VARIABLE] = outerDirectory;
});

test("removes the directory of a run that left nothing behind", async () => {
  await setup();
  const directory = process.env[RUN_DIRECTORY_VARIABLE]!;
  const child = await startProcess({ command: "sleep", args: ["60"] });
  await child.stop();

  await teardown();

  expect(existsSync(directory)).toBe(false);
});

test("fails a run that left a process behind, names it and kills it", async () => {
  await setup();
  const child = await startProcess({ command: "sleep", args: ["60"] });

  await expect(teardown()).rejects.toThrow(
    `left behind by the tests, now killed:\n${child.pid} sleep 60`,
  );

  expect(await child.exited).toEqual({ code: null, signal: "SIGKILL" });
});
