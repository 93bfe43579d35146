import { existsSync, readFileSync } from "node:fs";

export interface ProcessStatus {
  /** Tells this process from a later one that was given the same pid; the same for all where there is no /proc. */
  readonly startTime: string;
  /** True after SIGSTOP; always false where there is no /proc. */
  readonly isPaused: boolean;
}

/** The status of a process, or undefined when none runs under that pid; a zombie no longer runs. */
export function findProcessStatus(pid: number): ProcessStatus | undefined {
  if (!existsSync("/proc/self/stat")) {
    return canSignal(pid) ? { startTime: "unknown", isPaused: false } : undefined;
  }
  const stat = readStat(pid);
  if (stat === undefined) return undefined;

  // proc_pid_stat(5): "pid (name) state …". The name may hold blanks and brackets, so the fields that follow are
  // counted from its last bracket: the state is the 3rd field of the line, the start time the 22nd.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const state = fields[0] ?? "";
  if (state === "Z" || state === "X") return undefined;
  return { startTime: fields[22 - 3] ?? "unknown", isPaused: state === "T" };
}

function readStat(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function canSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** ENOENT: no such entry; ESRCH: the process ended between opening its entry and reading it. */
function isGone(error: unknown): boolean {
  return (
    error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH")
  );
}
