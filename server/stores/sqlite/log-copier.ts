import type { DatabaseSync, StatementSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import type { LogCopierData, LogCopierMessage } from "./log-copier-thread.ts";

/** From so many pages of the log that are not in the file yet; what SQLite would do in the commit itself. */
const PAGES_PER_COPY = 1_000;
/** A log of so many pages is not written to while it is copied: else who writes fast enough would let it grow for ever. */
export const LONGEST_LOG = 16_000;

/** In pages. */
type Log = { log: number; checkpointed: number };

/**
 * Copies what SQLite's log holds into its file, on a thread of its own: to copy a thousand pages and to wait for the
 * disk takes milliseconds, in which the event loop would stand still. The thread starts once there is enough to copy.
 * Where it fails, the commit copies that meets the longest log.
 */
export class LogCopier {
  readonly #data: LogCopierData;
  readonly #log: StatementSync;
  #thread: Worker | undefined;
  #copying: PromiseWithResolvers<void> | undefined;
  #isLong = false;
  #isClosed = false;

  /** `path`: of the connection's file. */
  constructor(connection: DatabaseSync, path: string) {
    this.#data = { path };
    this.#log = connection.prepare("PRAGMA wal_checkpoint(NOOP)");
  }

  /** Settles when the log may be written to again; undefined while it may. */
  get overdue(): Promise<void> | undefined {
    return this.#isLong ? this.#copying?.promise : undefined;
  }

  /** Has the log copied if it is time; to be called after each transaction. */
  check(): void {
    const { log, checkpointed } = this.#read();
    this.#isLong = log >= LONGEST_LOG;
    if (log - checkpointed < PAGES_PER_COPY || this.#copying !== undefined) return;
    this.#copying = Promise.withResolvers<void>();
    this.#thread ??= this.#start();
    tell(this.#thread, "copy");
    // Somebody may wait for it with nothing else to keep the process alive.
    this.#thread.ref();
  }

  /** Ends the thread once it has copied what it is copying. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const thread = this.#thread;
    if (thread === undefined) return;
    const ended = new Promise((resolve) => thread.once("exit", resolve));
    tell(thread, "end");
    thread.ref();
    await ended;
  }

  #read(): Log {
    try {
      return this.#log.get() as Log;
    } catch {
      // Whatever fails here fails the next transaction, whose callers are told.
      return { log: 0, checkpointed: 0 };
    }
  }

  #start(): Worker {
    const url = new URL("./log-copier-thread.ts", import.meta.url);
    const thread = new Worker(url, { workerData: this.#data });
    thread.on("message", () => {
      if (!this.#isClosed) thread.unref();
      this.#end();
    });
    thread.on("error", () => this.#bury(thread));
    thread.on("exit", () => this.#bury(thread));
    return thread;
  }

  #end(): void {
    this.#copying?.resolve();
    this.#copying = undefined;
  }

  #bury(thread: Worker): void {
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    this.#end();
  }
}

function tell(thread: Worker, message: LogCopierMessage): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  thread.postMessage(message);
}
