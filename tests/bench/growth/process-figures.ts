import { readdirSync, readFileSync } from "node:fs";

/** CPU time that the threads a process has now have taken, in ns (Linux). */
export function cpuNanoseconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => {
    // proc(5): time on the CPU in ns, time that it waited for one, timeslices
    const [onCpu] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    return sum + Number(onCpu);
  }, 0);
}

/** Bytes of memory that a process has for itself, plus its share of what it has with others (Linux). */
export function proportionalBytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss: +(\d+) kB/m.exec(rollup)?.[1]) * 1_024;
}

/** The process and all that come from it. */
export function processTree(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    const parent = /^\d+$/.test(name) ? findParent(Number(name)) : undefined;
    if (parent !== undefined) parents.set(Number(name), parent);
  }
  const tree = [root];
  for (const member of tree) {
    for (const [pid, parent] of parents) if (parent === member) tree.push(pid);
  }
  return tree;
}

/** undefined for a process that is gone meanwhile. */
function findParent(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // "pid (name) state ppid …"; the name may hold blanks and brackets
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}
