import { openSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { LogCopierData, LogCopierMessage, LogCopierReply } from "./log-copier-thread.ts";

/** From so many pages of the log that are not in the file yet; SQLite by itself would copy as many in the commit. */
const PAGES_PER_COPY = 1_000;
/**
 * In pages. Who writes to a longer log waits for the copy that is under way: it would grow for as long as somebody writes
 * faster than the thread copies.
 */
export const LONG_LOG = 48_000;
/** The longest such wait: a disk that hangs must not keep callers past their deadlines. */
const PATIENCE_MS = 1_000;
/** How long the end of the thread is waited for. */
const END_MS = 5_000;
/** After this a thread that has died is started again. */
const RESTART_MS = 5_000;

/** In pages. */
type Log = { log: number; checkpointed: number };

/**
 * Copies what SQLite's log holds into its file, on a thread of its own: to copy a thousand pages and to wait for the
 * disk takes milliseconds, in which the event loop would stand still. The thread starts once there is enough to copy.
 * While there is none, SQLite copies within commits, only later than it would by itself.
 */
export class LogCopier {
  readonly #path: string;
  readonly #log: StatementSync;
  readonly #onTrouble: (error: Error) => void;
  #thread: Worker | undefined;
  #copying: PromiseWithResolvers<void> | undefined;
  /** So many pages not copied are to be copied: more than 1,000 where others read what keeps them from it. */
  #due = PAGES_PER_COPY;
  #isLong = false;
  #isClosed = false;
  #notBefore = 0;

  /** `path`: of the connection's file. `onTrouble` hears of copies that fail, and of the thread's death. */
  constructor(connection: DatabaseSync, path: string, onTrouble: (error: Error) => void) {
    this.#path = path;
    this.#log = connection.prepare("PRAGMA wal_checkpoint(NOOP)");
    this.#onTrouble = onTrouble;
  }

  /** Settles when the log may be written to again; undefined while it may. */
  get overdue(): Promise<unknown> | undefined {
    if (!this.#isLong || this.#copying === undefined) return undefined;
    return Promise.race([this.#copying.promise, delay(PATIENCE_MS, undefined, { ref: false })]);
  }

  /** Has the log copied if it is time; to be called after each transaction. Never throws. */
  check(): void {
    if (this.#isClosed) return;
    const { log, checkpointed } = this.#read();
    this.#isLong = log >= LONG_LOG;
    if (log - checkpointed >= this.#due && this.#copying === undefined) this.#copy();
  }

  /** Ends the thread once it has copied what it is copying. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const thread = this.#thread;
    if (thread === undefined) return;
    const ended = new Promise((resolve) => thread.once("exit", resolve));
    tell(thread, "end");
    thread.ref();
    await Promise.race([ended, delay(END_MS, undefined, { ref: false })]);
    void thread.terminate();
  }

  #copy(): void {
    if (this.#thread === undefined && performance.now() < this.#notBefore) return;
    try {
      this.#thread ??= this.#start();
      tell(this.#thread, "copy");
    } catch (error) {
      // No more threads, or none permitted.
      this.#bury(this.#thread, error);
      return;
    }
    this.#copying = Promise.withResolvers<void>();
    // Somebody may wait for it with nothing else to keep the process alive.
    this.#thread.ref();
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
    const path = this.#path;
    const workerData: LogCopierData = { path, descriptor: descriptorOf(path) };
    const thread = new Worker(url, { workerData });
    let cause: unknown;
    thread.on("message", (reply: LogCopierReply) => this.#hear(thread, reply));
    thread.on("error", (error) => (cause = error));
    thread.on("exit", () => this.#bury(thread, cause));
    return thread;
  }

  #hear(thread: Worker, { left, failure }: LogCopierReply): void {
    if (failure !== undefined) this.#tellTrouble(failure);
    this.#due = left + PAGES_PER_COPY;
    if (!this.#isClosed) thread.unref();
    this.#end();
  }

  #bury(thread: Worker | undefined, cause: unknown): void {
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    this.#notBefore = performance.now() + RESTART_MS;
    this.#end();
    if (!this.#isClosed) this.#tellTrouble(cause instanceof Error ? cause.message : "it ended");
  }

  #end(): void {
    this.#copying?.resolve();
    this.#copying = undefined;
  }

  #tellTrouble(what: string): void {
    this.#onTrouble(new Error(`the log of the SQLite file cannot be copied: ${what}`));
  }
}

const descriptors = new Map<string, number>();

/**
 * By which the file can be written to the disk. It stays open as long as the process: to close any descriptor of a file
 * is to let go of all the locks that the process has on it, SQLite's too. So it is opened here and not in the thread,
 * what a thread opened being closed at its end. Of a file that took the place of a removed one it is not, which costs
 * those who write a longer wait, as SQLite writes that file to the disk by itself.
 */
function descriptorOf(path: string): number {
  const known = descriptors.get(path);
  if (known !== undefined) return known;
  const opened = openSync(path, "r+");
  descriptors.set(path, opened);
  return opened;
}

function tell(thread: Worker, message: LogCopierMessage): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  thread.postMessage(message);
}
