import { findProcessStatus } from "../process-status.ts";
import { forgetProcess, recordProcess } from "../process-records.ts";
import { findRunDirectory } from "../run-directory.ts";
import { waitFor } from "../wait-for.ts";

export type FrozenProcess = {
  readonly pid: number;
  /** Lets the process go on; harmless when repeated, and when it was killed meanwhile. */
  resume(): void;
};

/**
 * Stops a process that this one did not start itself. It cannot hear that its parent is gone, so it is recorded, to be
 * found by the leak check should its test forget it. Undefined when it has ended already.
 */
export async function freezeProcess(pid: number): Promise<FrozenProcess | undefined> {
  const directory = findRunDirectory();
  if (directory !== undefined) recordProcess(directory, pid, `frozen process ${pid}`);
  const resume = () => {
    signalProcess(pid, "SIGCONT");
    if (directory !== undefined) forgetProcess(directory, pid);
  };
  if (!signalProcess(pid, "SIGSTOP")) {
    resume();
    return undefined;
  }
  // Signals arrive in their own time; elsewhere than on Linux nothing tells when.
  if (process.platform === "linux") {
    const isFrozen = () => findProcessStatus(pid)?.isPaused ?? true;
    await waitFor(isFrozen, { what: `process ${pid} to freeze` });
  }
  return { pid, resume };
}

/** Whether there was such a process to signal. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}
