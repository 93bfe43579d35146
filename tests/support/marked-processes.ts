import { readdirSync, readFileSync } from "node:fs";
import { findProcessStatus } from "./process-status.ts";

/** Set in a started process, and so inherited by all that it starts, to find them when it is gone. */
export const MARK_VARIABLE = "TEST_PROCESS_MARK";

/**
 * Pids of all running processes that bear the mark, whoever their parent is by now, in ascending
 * order. Needs /proc: elsewhere it finds none.
 */
export function findMarkedProcesses(mark: string): number[] {
  const entry = `${MARK_VARIABLE}=${mark}`;
  return readPids()
    .filter((pid) => readEnvironment(pid).includes(entry) && findProcessStatus(pid) !== undefined)
    .sort((a, b) => a - b);
}

function readPids(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** Empty for processes that are gone meanwhile, or another user's. */
function readEnvironment(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
}
