import { fdatasyncSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";

/** `descriptor` is the file's. */
export type LogCopierData = { path: string; descriptor: number };
export type LogCopierMessage = "copy" | "end";
export type LogCopierReply = {
  /** Pages that are not copied yet: written meanwhile, or after what somebody still reads. */
  left: number;
  failure?: string;
};

type Copied = { busy: number; log: number; checkpointed: number };

/** How long another process's copy is waited for. */
const PATIENCE_MS = 1_000;
const PAUSE_MS = 5;
/**
 * Pages of a log that is to begin anew, which it does by itself only when somebody begins to write and all of it is
 * copied; and of what may be left to copy then, while nobody can write for 2 to 7 ms: the fewer such moments, the fewer
 * calls are late. Fewer than those for which writers wait (LONG_LOG of log-copier.ts). More is left only where an old
 * state is read.
 */
const ANEW_FROM = 32_000;
const SHORT_REST = 1_000;
/** How often the file is written to the disk before: the first takes up to 50 ms, in which more to be copied is written. */
const SYNCS = 2;
/** How long that waits for who writes or reads. */
const BUSY_TIMEOUT_MS = 20;

const { path, descriptor } = workerData as LogCopierData;
const file = pathToFileURL(path);
// Where somebody has removed the file, no empty one shall take its place.
file.search = "mode=rw";
const connection = new DatabaseSync(file);
connection.exec("PRAGMA synchronous = NORMAL");
connection.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
// Beside those who read and write: it waits for nobody, and nobody for it.
const copy = connection.prepare("PRAGMA wal_checkpoint(PASSIVE)");
const copyAndBeginAnew = connection.prepare("PRAGMA wal_checkpoint(RESTART)");

parentPort?.on("message", (message: LogCopierMessage) => {
  if (message === "end") {
    connection.close();
    parentPort?.close();
    return;
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(copyLog());
});

function copyLog(): LogCopierReply {
  const until = performance.now() + PATIENCE_MS;
  try {
    let copied = copy.get() as Copied;
    // Of several processes one copies at a time; how much is left each must see for itself.
    while (copied.busy === 1 && performance.now() < until) {
      Atomics.wait(
        new Int32Array(new SharedArrayBuffer(4)),
        0,
        0,
        PAUSE_MS * (0.5 + Math.random()),
      );
      copied = copy.get() as Copied;
    }
    if (isRipe(copied)) copied = beginAnew(copied);
    return { left: leftOf(copied) };
  } catch (error) {
    return { left: 0, failure: (error as Error).message };
  }
}

/**
 * While others write, SQLite leaves what it copies to the system, and writes all of it to the disk once it has the last
 * page, when nobody can write: the more, the larger the file. So that is done before, beside those who write.
 */
function beginAnew(before: Copied): Copied {
  let copied = before;
  for (let i = 0; i < SYNCS && isRipe(copied); i += 1) {
    fdatasyncSync(descriptor);
    copied = copy.get() as Copied;
  }
  return isRipe(copied) ? (copyAndBeginAnew.get() as Copied) : copied;
}

/** Asked again after every wait: another process may have had the log begin anew, or be copying it, which gives −1. */
function isRipe(copied: Copied): boolean {
  return copied.log >= ANEW_FROM && leftOf(copied) < SHORT_REST;
}

function leftOf({ log, checkpointed }: Copied): number {
  return Math.max(0, log - checkpointed);
}
