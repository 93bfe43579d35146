import { execFile } from "node:child_process";
import { promisify } from "node:util";

/**
 * Lets a process's main thread have a processor whenever it wants one, before all that run as usual (chrt(1), SCHED_FIFO).
 * Not its other threads: what V8 does there may wait. False where that cannot be had: it takes Linux, and the right to.
 */
export async function givePrecedence(pid: number): Promise<boolean> {
  try {
    await promisify(execFile)("chrt", ["--fifo", "--pid", "1", String(pid)]);
    return true;
  } catch {
    return false;
  }
}
