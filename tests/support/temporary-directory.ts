import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findRunDirectory } from "./run-directory.ts";

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
  /** Removes the directory with everything in it; harmless when repeated. */
  remove(): Promise<void>;
}

/** An empty directory, inside that of the run where there is one, so that even a crash leaves nothing behind. */
export async function makeTemporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(findRunDirectory() ?? tmpdir(), "kato-"));
  // Retried because a server killed a moment ago may have a forked child still writing.
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });

  return { path, remove, [Symbol.asyncDispose]: remove };
}
