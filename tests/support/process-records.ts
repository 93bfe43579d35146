import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProcessStatus } from "./process-status.ts";
import { waitFor } from "./wait-for.ts";

/** One file per process the tests started and have not yet seen end. */
interface ProcessRecord {
  readonly pid: number;
  readonly startTime: string;
  readonly command: string;
}

const PREFIX = "process-";

/** Notes a process just started, so that it can be found should its test forget it. */
export function recordProcess(directory: string, pid: number, command: string): void {
  const startTime = findProcessStatus(pid)?.startTime;
  if (startTime === undefined) return;
  const record: ProcessRecord = { pid, startTime, command };
  writeFileSync(recordPath(directory, pid), JSON.stringify(record));
}

/** Drops the note of a process seen to end. */
export function forgetProcess(directory: string, pid: number): void {
  rmSync(recordPath(directory, pid), { force: true });
}

/** Kills every recorded process that still runs, waits for its end and gives "pid command" for each. */
export async function endRecordedProcesses(directory: string): Promise<string[]> {
  const leaked = readRecords(directory).filter(isRunning);
  leaked.forEach(kill);

  await waitFor(() => !leaked.some(isRunning), {
    what: "leaked processes to end",
    timeoutMs: 5_000,
  });
  return leaked.map(({ pid, command }) => `${pid} ${command}`);
}

function readRecords(directory: string): ProcessRecord[] {
  return readdirSync(directory)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => JSON.parse(readFileSync(join(directory, name), "utf8")) as ProcessRecord);
}

/** False when the pid belongs to a later process, which is none of ours. */
function isRunning({ pid, startTime }: ProcessRecord): boolean {
  return findProcessStatus(pid)?.startTime === startTime;
}

function kill(record: ProcessRecord): void {
  try {
    process.kill(record.pid, "SIGKILL");
  } catch (error) {
    // It may have ended since the last look.
    if (isRunning(record)) throw error;
  }
}

function recordPath(directory: string, pid: number): string {
  return join(directory, `${PREFIX}${pid}.json`);
}
