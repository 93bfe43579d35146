import { readdirSync, readFileSync } from "node:fs";

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

/** Processor time that the threads which these processes have now have taken, user's and system's, in ms. Needs /proc. */
export function readCpuMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuNanoseconds(pid), 0) / 1e6;
}

/** The same of one process, in ns. */
export function cpuNanoseconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => {
    // proc(5): time on the CPU in ns, time that it waited for one, timeslices
    const [onCpu] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    return sum + Number(onCpu);
  }, 0);
}

/** Bytes of memory that a process has for itself, plus its share of what it has with others. Needs /proc. */
export function proportionalBytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss: +(\d+) kB/m.exec(rollup)?.[1]) * 1_024;
}

/** Undefined when the process has ended since it was listed. */
function findParent(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // proc(5): "pid (name) state parent …"; the name may hold blanks and brackets.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}
