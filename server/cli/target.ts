import type { Flag, Flags } from "./command.ts";
import { findCount, findHttpUrl, findText } from "./flag-values.ts";
import { openTemporaryServer } from "./temporary-server.ts";
import { UsageError } from "./usage-error.ts";

/** The server that a command works against: one that runs, or one of its own for the while. */
export type Target = {
  /** Of a running server. */
  url: string | undefined;
  /** Of a temporary one; without it the server gets a file of its own. */
  store: string | undefined;
  workers: number;
};

const MOST_WORKERS = 64;

export function targetFlags(defaultWorkers: number): Record<string, Flag> {
  return {
    url: { value: "URL", meaning: "a running server; without it a temporary one is started" },
    store: {
      value: "STORE",
      meaning: "store of the temporary server",
      default: "a temporary SQLite file",
    },
    workers: {
      value: "N",
      meaning: "workers of the temporary server",
      default: String(defaultWorkers),
    },
  };
}

/** @throws UsageError */
export function readTarget(flags: Flags, defaultWorkers: number): Target {
  const url = findHttpUrl(flags, "url");
  const store = findText(flags, "store");
  const workers = findCount(flags, "workers", MOST_WORKERS);
  if (url !== undefined && (store !== undefined || workers !== undefined)) {
    throw new UsageError(
      "--store and --workers are for a temporary server, --url names a running one",
    );
  }
  return { url, store, workers: workers ?? defaultWorkers };
}

/**
 * Gives `work` the address of the server, and a signal that is also set when a temporary one ends by
 * itself; ends the temporary one after it. @throws Error when that does not start
 */
export async function withTarget<T>(
  { url, store, workers }: Target,
  signal: AbortSignal,
  work: (url: string, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (url !== undefined) return work(url, signal);
  const server = await openTemporaryServer({ store, workers, signal });
  const lost = new AbortController();
  server.failed.catch((error: unknown) => lost.abort(error));
  const either = AbortSignal.any([signal, lost.signal]);
  try {
    return await work(server.url, either).finally(() => lost.signal.throwIfAborted());
  } finally {
    await server.close();
  }
}
