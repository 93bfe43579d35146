import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

/** Lines of the log that are kept, to explain the server's end. */
const LINES_KEPT = 20;

export type ServerLog = {
  /** The address the server listens on, once it says so. */
  url: Promise<string>;
  /** The last line that says why something failed, else the last one. */
  lastWords(): string;
};

/** Reads the JSON log of a `kato serve`, so that it is neither shown nor ever fills its pipe. */
export function readServerLog(child: ChildProcess): ServerLog {
  const lines: string[] = [];
  const { promise: url, resolve } = Promise.withResolvers<string>();
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      const { url, workers } = readLine(line);
      if (typeof url === "string" && workers !== undefined) resolve(url);
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
    });
  }
  return { url, lastWords: () => findReason(lines) };
}

function findReason(lines: readonly string[]): string {
  const failures = lines
    .map(readLine)
    .filter(({ level }) => level === "fatal" || level === "error");
  const message = failures.at(-1)?.["msg"];
  return typeof message === "string" ? message : (lines.at(-1) ?? "it wrote nothing");
}

function readLine(line: string): Record<string, unknown> {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === "object" && entry !== null ? { ...entry } : {};
  } catch {
    // Node's own warnings are no JSON.
    return {};
  }
}
