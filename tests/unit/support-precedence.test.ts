import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { givePrecedence } from "../support/precedence.ts";
import { startProcess } from "../support/processes.ts";

const SCHED_OTHER = 0;
const SCHED_FIFO = 1;

/** proc_pid_stat(5): field 41, counted from the end of the name, the 2nd. */
function policyOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[41 - 3]);
}

test("a process has precedence when, and only when, it is said to have got it", async () => {
  await using started = await startProcess({ command: "sleep", args: ["60"] });
  const before = policyOf(started.pid);

  const hasPrecedence = await givePrecedence(started.pid);

  expect(before).toBe(SCHED_OTHER);
  expect(policyOf(started.pid)).toBe(hasPrecedence ? SCHED_FIFO : SCHED_OTHER);
});

test("a process that is gone is given none", async () => {
  const started = await startProcess({ command: "true" });
  await started.exited;

  expect(await givePrecedence(started.pid)).toBe(false);
});
