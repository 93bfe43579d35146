import { readFileSync } from "node:fs";
import type { Sequence } from "@kato-rpc/server/cli/evaluate/splits.ts";

/** Cases in the order of their first line; lines are `case,activity,timestamp` under a header, in order of time. */
export function readEventLog(path: string): Sequence[] {
  const cases = new Map<string, string[]>();
  const [, ...lines] = readFileSync(path, "utf8").trimEnd().split(/\r?\n/);
  for (const line of lines) {
    const [name, activity] = line.split(",");
    if (name === undefined || activity === undefined) throw new Error(`Not an event: ${line}`);
    const events = cases.get(name) ?? [];
    events.push(activity);
    cases.set(name, events);
  }
  return [...cases.values()];
}
