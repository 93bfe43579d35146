import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { findProcessStatus } from "./process-status.ts";
import { findMarkedProcesses, MARK_VARIABLE } from "./marked-processes.ts";
import type { ProcessExit, StartedProcess } from "./processes.ts";
import { startProcess } from "./processes.ts";
import { startService } from "./service.ts";
import { waitFor } from "./wait-for.ts";

const CLI = fileURLToPath(new URL("../../server/cli.ts", import.meta.url));

export type LogLine = Record<string, unknown> & { level: string; msg: string };

/** A `kato serve` of which a test sees every process and every line of its log. */
export type WatchedService = {
  url: string;
  process: StartedProcess;
  /** Pids of the workers that run now, in the order of their start. */
  workerPids(): number[];
  log(): LogLine[];
  /** The first line of the log, past ones included, whose message starts with `message`. */
  waitForLog(message: string, timeoutMs?: number): Promise<LogLine>;
  /** Resolves when neither the primary nor any worker runs, and tells how the primary ended. */
  ended(timeoutMs?: number): Promise<ProcessExit>;
  /** SIGTERM, then as `ended`. */
  stop(): Promise<ProcessExit>;
  /** Ends the service; throws when a process of it has to be killed. */
  [Symbol.asyncDispose](): Promise<void>;
};

export type WatchOptions = {
  store: string;
  workers?: number;
  /** Settings and other variables. */
  env?: Record<string, string>;
};

/** Starts a service on a free port; it takes calls when this resolves. */
export async function watchService(options: WatchOptions): Promise<WatchedService> {
  const mark = randomUUID();
  const service = await startService({
    ...options,
    env: { ...options.env, [MARK_VARIABLE]: mark },
  });
  return { url: service.url, ...watch(service.process, mark) };
}

/** Starts `kato serve` without waiting for it to take calls, as for a start that fails. */
export async function watchStart(
  options: WatchOptions & { port?: number },
): Promise<Omit<WatchedService, "url">> {
  const mark = randomUUID();
  const started = await startProcess({
    command: process.execPath,
    args: [CLI, "serve"],
    env: {
      KATO_HOST: "127.0.0.1",
      KATO_PORT: String(options.port ?? 0),
      KATO_STORE: options.store,
      KATO_WORKERS: String(options.workers ?? 1),
      KATO_LOG_FORMAT: "json",
      ...options.env,
      [MARK_VARIABLE]: mark,
    },
  });
  return watch(started, mark);
}

function watch(started: StartedProcess, mark: string): Omit<WatchedService, "url"> {
  const log = () => started.stdout.map(readLine);
  /** One that is just ending has lost its environment, and with it the mark, before it is a zombie. */
  const known = new Set<number>();
  const find = () => {
    const found = findMarkedProcesses(mark);
    for (const pid of found) known.add(pid);
    return found;
  };
  const isGone = () => {
    find();
    for (const pid of known) if (findProcessStatus(pid) === undefined) known.delete(pid);
    return known.size === 0 && started.hasExited;
  };
  const ended = async (timeoutMs = 30_000) => {
    await waitFor(isGone, {
      what: `all processes of the service to end; it wrote:\n${started.describeOutput()}`,
      timeoutMs,
    });
    return started.exited;
  };
  const stop = async () => {
    if (!started.hasExited) started.signal("SIGTERM");
    return ended();
  };
  return {
    process: started,
    workerPids: () => find().filter((pid) => pid !== started.pid),
    log,
    waitForLog: (message, timeoutMs = 30_000) =>
      waitFor(() => log().find(({ msg }) => msg.startsWith(message)), {
        what: `a log line that starts with ${JSON.stringify(message)}; there is:\n${started.describeOutput()}`,
        timeoutMs,
      }),
    ended,
    stop,
    async [Symbol.asyncDispose]() {
      try {
        await stop();
      } finally {
        for (const pid of findMarkedProcesses(mark)) process.kill(pid, "SIGKILL");
      }
    },
  };
}

/** Throws for a line that is not JSON: two workers' lines mixed up, say. */
function readLine(line: string): LogLine {
  return JSON.parse(line) as LogLine;
}
