import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endRecordedProcesses } from "./process-records.ts";
import { findRedisServer } from "./redis-binary.ts";
import { findRunDirectory, RUN_DIRECTORY_VARIABLE } from "./run-directory.ts";

/** Fails the run at once when there is no Redis to test against, and makes the directory its workers share. */
export async function setup(): Promise<void> {
  await findRedisServer();
  process.env[RUN_DIRECTORY_VARIABLE] = await mkdtemp(join(tmpdir(), "kato-tests-"));
}

/** Fails the run, naming and ending them, when processes that the tests started still run. */
export async function teardown(): Promise<void> {
  const directory = findRunDirectory();
  if (directory === undefined) return;

  const leaked = await endRecordedProcesses(directory);
  await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  delete process.env[RUN_DIRECTORY_VARIABLE];
  if (leaked.length > 0)
    throw new Error(`processes left behind by the tests, now killed:\n${leaked.join("\n")}`);
}
