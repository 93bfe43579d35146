import { spawn, type ChildProcess, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { forgetProcess, recordProcess } from "./process-records.ts";
import { findRunDirectory } from "./run-directory.ts";

export interface ProcessOptions {
  command: string;
  args?: readonly string[];
  /** Added to the environment of the tests without its `KATO_*`, a developer's own settings; undefined removes a name. */
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
}

/** How a process ended; one of the two is null. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Lines kept per stream; older ones are dropped. */
const LINE_LIMIT = 10_000;

/**
 * Starts a process whose end the caller owns: dispose or stop it. Should the test process end first, it is killed on
 * the way out, or else found by the leak check of the global setup. Rejects when the command cannot be started.
 */
export async function startProcess(options: ProcessOptions): Promise<StartedProcess> {
  const child = spawn(options.command, [...(options.args ?? [])], {
    cwd: options.cwd,
    env: childEnvironment(options.env ?? {}),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const started = new StartedProcess(child, [options.command, ...(options.args ?? [])].join(" "));
  trackUntilExit(child, started.commandLine);
  await once(child, "spawn");
  return started;
}

export class StartedProcess implements AsyncDisposable {
  readonly commandLine: string;
  /** Lines written so far, oldest first, without their line ends. */
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  /** Settles once the process has ended and all its output has been read; never rejects. */
  readonly exited: Promise<ProcessExit>;
  readonly #child: ChildProcess;
  /** Hear of each line. */
  readonly #listeners = new Set<(line: string) => void>();

  constructor(child: ChildProcessByStdio<null, Readable, Readable>, commandLine: string) {
    this.#child = child;
    this.commandLine = commandLine;
    const hear = (line: string): void => {
      for (const listener of this.#listeners) listener(line);
    };
    this.stdout = collectLines(child.stdout, hear);
    this.stderr = collectLines(child.stderr, hear);
    this.exited = new Promise((resolve) => {
      child.once("close", (code: number | null, signal: NodeJS.Signals | null) =>
        resolve({ code, signal }),
      );
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.commandLine} was never started`);
    return this.#child.pid;
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /**
   * The match of the first line of either stream, past ones included, that `pattern` matches. Rejects, showing the
   * output, on the timeout and when the process ends without such a line.
   */
  async waitForLine(pattern: RegExp, timeoutMs = 30_000): Promise<RegExpMatchArray> {
    const what = `a line matching ${String(pattern)} from ${this.commandLine}`;
    const found = Promise.withResolvers<RegExpMatchArray | string>();
    const look = (line: string): void => {
      const match = line.match(pattern);
      if (match !== null) found.resolve(match);
    };
    for (const line of [...this.stdout, ...this.stderr]) look(line);
    // No look every few milliseconds: a bench waits so for the process that it measures with.
    this.#listeners.add(look);
    void this.exited.then(() => found.resolve(`ended without ${what}`));
    const deadline = setTimeout(() => found.resolve(`no ${what} in ${timeoutMs} ms`), timeoutMs);
    const match = await found.promise;
    clearTimeout(deadline);
    this.#listeners.delete(look);
    if (typeof match !== "string") return match;
    throw new Error(`${match}; it wrote:\n${this.describeOutput()}`);
  }

  /** The last lines of both streams, for error messages. */
  describeOutput(): string {
    return [...this.stdout.slice(-20), ...this.stderr.slice(-20)].join("\n");
  }

  /** Sends a signal; throws when the process has already ended. */
  signal(signal: NodeJS.Signals): void {
    if (!this.#child.kill(signal))
      throw new Error(`cannot send ${signal}: ${this.commandLine} has ended`);
  }

  /** Asks the process to end with SIGTERM, kills it when it has not by the deadline, and tells how it ended. */
  async stop({ killAfterMs = 10_000 }: { killAfterMs?: number } = {}): Promise<ProcessExit> {
    if (!this.hasExited) {
      this.#child.kill("SIGTERM");
      // A process paused by SIGSTOP acts on the SIGTERM only once it goes on.
      this.#child.kill("SIGCONT");
    }
    const deadline = setTimeout(() => this.#child.kill("SIGKILL"), killAfterMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(deadline);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function childEnvironment(added: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("KATO_"));
  return { ...Object.fromEntries(inherited), ...added };
}

/** The lines of a stream, growing as they arrive. */
function collectLines(stream: Readable, onLine: (line: string) => void): readonly string[] {
  const lines: string[] = [];
  createInterface({ input: stream }).on("line", (line) => {
    if (lines.length === LINE_LIMIT) lines.shift();
    lines.push(line);
    onLine(line);
  });
  return lines;
}

// Module state, since it mirrors what this process really holds: one exit handler for all children, because one for
// each would pass Node's limit on listeners with a few clusters.
const runningChildren = new Set<ChildProcess>();

function trackUntilExit(child: ChildProcess, commandLine: string): void {
  const { pid } = child;
  if (pid === undefined) return;
  const directory = findRunDirectory();

  if (directory !== undefined) recordProcess(directory, pid, commandLine);
  if (runningChildren.size === 0) process.on("exit", killRunningChildren);
  runningChildren.add(child);

  child.once("exit", () => {
    if (directory !== undefined) forgetProcess(directory, pid);
    runningChildren.delete(child);
    if (runningChildren.size === 0) process.off("exit", killRunningChildren);
  });
}

function killRunningChildren(): void {
  for (const child of runningChildren) child.kill("SIGKILL");
}
