import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";

export type LogCopierData = { path: string };
export type LogCopierMessage = "copy" | "end";

/** In pages. One that is longer begins anew once all of it is copied, for which nobody may write for a moment. */
const LONG_LOG = 4_000;
/** How long those who write are waited for. */
const BUSY_TIMEOUT_MS = 20;

const { path } = workerData as LogCopierData;
const file = pathToFileURL(path);
// Where somebody has removed the file, no empty one shall take its place.
file.search = "mode=rw";
const connection = new DatabaseSync(file);
connection.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
connection.exec("PRAGMA synchronous = NORMAL");
const copyBesideWriters = connection.prepare("PRAGMA wal_checkpoint(PASSIVE)");
const copyAndBeginAnew = connection.prepare("PRAGMA wal_checkpoint(RESTART)");

parentPort?.on("message", (message: LogCopierMessage) => {
  if (message === "end") {
    connection.close();
    parentPort?.close();
    return;
  }
  try {
    const { log } = copyBesideWriters.get() as { log: number };
    // By now little is left to copy.
    if (log >= LONG_LOG) copyAndBeginAnew.get();
  } catch {
    // A full or failing disk, which those who write will hear of.
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage("copied");
});
