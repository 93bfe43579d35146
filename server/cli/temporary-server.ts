import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { flagOf, SETTINGS } from "../config.ts";
import type { ServerLog } from "./server-log.ts";
import { readServerLog } from "./server-log.ts";

const KATO = fileURLToPath(new URL("../cli.ts", import.meta.url));
const START_TIMEOUT_MS = 60_000;
const STOP_SECONDS = 10;

export type TemporaryServer = {
  url: string;
  /** Rejects, saying why, when the server ends before `close`; never resolves. */
  failed: Promise<never>;
  /** Ends the server and removes its files. */
  close(): Promise<void>;
};

/**
 * A cold `kato serve` on a free port, every setting at its default but those given; without `store`
 * on a new SQLite file, which `close` removes. It ends with this process, whatever ends that.
 *
 * @throws Error when it does not start, or when `signal` is set before it has
 */
export async function openTemporaryServer(options: {
  store: string | undefined;
  workers: number;
  signal: AbortSignal;
}): Promise<TemporaryServer> {
  const directory =
    options.store === undefined ? await mkdtemp(join(tmpdir(), "kato-server-")) : undefined;
  const store = options.store ?? `sqlite:${join(directory ?? "", "kato.db")}`;
  const child = startServer(store, options.workers);
  const log = readServerLog(child);
  const failed = once(child, "exit").then(() => {
    throw new Error(`the temporary server ended: ${log.lastWords()}`);
  });
  failed.catch(() => undefined);
  const close = async () => {
    await end(child);
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  };
  try {
    const url = await untilListening(log, failed, options.signal);
    return { url, failed, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function startServer(store: string, workers: number): ChildProcess {
  const settings: Record<string, string> = {
    KATO_PORT: "0",
    KATO_STORE: store,
    KATO_WORKERS: String(workers),
    KATO_LOG_FORMAT: "json",
    KATO_ACCESS_LOG: "off",
    KATO_SHUTDOWN_SECONDS: String(STOP_SECONDS),
  };
  // All of them as flags: what this command's own environment says is meant for another server.
  const flags = Object.values(SETTINGS).map(
    ({ env, default: usual }) => `--${flagOf(env)}=${settings[env] ?? usual}`,
  );
  return spawn(process.execPath, [KATO, "serve", ...flags], {
    // The channel ends it with this process; its own group keeps the terminal's Ctrl-C from it.
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    detached: true,
  });
}

async function untilListening(
  log: ServerLog,
  failed: Promise<never>,
  signal: AbortSignal,
): Promise<string> {
  const giveUp = new AbortController();
  const tooLate = async (): Promise<never> => {
    const timing = AbortSignal.any([signal, giveUp.signal]);
    await delay(START_TIMEOUT_MS, undefined, { signal: timing }).catch(() => {
      throw signal.aborted ? signal.reason : new Error("the wait is over");
    });
    throw new Error(`the temporary server did not start within ${START_TIMEOUT_MS / 1_000} s`);
  };
  try {
    return await Promise.race([log.url, failed, tooLate()]);
  } finally {
    giveUp.abort();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const deadline = setTimeout(() => child.kill("SIGKILL"), (STOP_SECONDS + 5) * 1_000);
  await exited;
  clearTimeout(deadline);
}
