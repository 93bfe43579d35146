import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { startProcess } from "../support/processes.ts";

const SCRIPT = fileURLToPath(new URL("./close-store-process.ts", import.meta.url));

/** `first` is the answer to a call before the closing, `later` are those to calls after it. */
export type Report = { first: string; later: string[]; tookMs: number; left: string[] };

/** Closes a store in a process of its own, which must come to its end by that alone. */
export async function closeStore(url: string, state: string): Promise<Report> {
  await using child = await startProcess({ command: process.execPath, args: [SCRIPT, url, state] });
  const [line] = await child.waitForLine(/^\{.*\}$/);
  expect(await child.exited).toEqual({ code: 0, signal: null });
  return JSON.parse(line) as Report;
}

/** Of a report: nothing is left, and later calls fail. */
export const GONE = { left: [], later: ["unavailable", "unavailable"] };
