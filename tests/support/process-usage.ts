import { readdirSync, readFileSync } from "node:fs";

/** Linux counts processor time in such ticks, whatever its own clock does. */
const TICKS_PER_SECOND = 100;

/** A process and all that come of it, as far as they run now. Needs /proc. */
export function findProcessTree(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const parent = /^\d+$/.test(name) ? findParent(Number(name)) : undefined;
    if (parent === undefined) continue;
    const siblings = children.get(parent) ?? [];
    siblings.push(Number(name));
    children.set(parent, siblings);
  }
  const tree = [pid];
  // Grows while it is walked.
  for (const known of tree) tree.push(...(children.get(known) ?? []));
  return tree;
}

/** Processor time of all threads of these processes since they started, user's and system's, in ms; to 10 ms each. */
export function readCpuMs(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const fields = readStatFields(pid);
    return Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS]);
  });
  return (ticks.reduce((sum, count) => sum + count, 0) * 1_000) / TICKS_PER_SECOND;
}

/** Memory of these processes that is in RAM, in bytes; what they share counts for each of them. */
export function readResidentBytes(pids: readonly number[]): number {
  const kibibytes = pids.map((pid) => {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN);
  });
  return kibibytes.reduce((sum, count) => sum + count, 0) * 1_024;
}

/** Of proc_pid_stat(5), counted from the 3rd field of the line, the state. */
const PARENT = 4 - 3;
const USER_TICKS = 14 - 3;
const SYSTEM_TICKS = 15 - 3;

function readStatFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // "pid (name) state …": the name may hold blanks and brackets.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Undefined when the process has ended since it was listed. */
function findParent(pid: number): number | undefined {
  try {
    return Number(readStatFields(pid)[PARENT]);
  } catch {
    return undefined;
  }
}
