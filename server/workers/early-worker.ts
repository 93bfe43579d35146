import type { Worker } from "node:cluster";
import cluster from "node:cluster";
import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import { roomForYoungObjects } from "./young-objects.ts";

/** Forked, but not yet anybody's. */
let early: { worker: Worker; heard: unknown[]; hear(message: unknown): void } | undefined;

/** Another worker: this command once more, in a process of its own. */
export function forkWorker(): Worker {
  return cluster.fork({ ...compileCache(), ...roomForYoungObjects() });
}

/**
 * Forks the first worker of `kato serve` before this process knows more than its arguments: both load what they need
 * at the same time, and the service is ready some 100 ms sooner. What is wrong with the settings is told here alone.
 */
export function forkEarly(args: readonly string[]): void {
  const serves = args[0] === "serve" && !args.includes("--help") && !args.includes("-h");
  if (!cluster.isPrimary || !serves) return;
  const worker = forkWorker();
  const heard: unknown[] = [];
  const hear = (message: unknown) => heard.push(message);
  worker.on("message", hear);
  // It could not be started, or cannot be reached: the primary will try again, and tell.
  worker.once("error", () => {
    if (early?.worker === worker) endEarly();
  });
  early = { worker, heard, hear };
}

/** The worker forked early, once and while it lives; call `tell` when all its listeners are there. */
export function takeEarly(): { worker: Worker; tell(): void } | undefined {
  if (early === undefined || early.worker.isDead()) return undefined;
  const { worker, heard, hear } = early;
  early = undefined;
  return {
    worker,
    tell() {
      worker.off("message", hear);
      for (const message of heard) worker.emit("message", message);
    },
  };
}

/** Ends it unless it was taken, as where the settings are wrong and there will be no service. */
export function endEarly(): void {
  early?.worker.process.kill("SIGKILL");
  early = undefined;
}

/**
 * Tells a worker of the cache from its very start. The entry, with which it else would turn the cache on, is itself
 * TypeScript, and Node loads the compiler for it alone: 35 ms.
 */
function compileCache(): { NODE_COMPILE_CACHE?: string } {
  const directory = getCompileCacheDir();
  // Node adds a folder for its own version to the one it is given.
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) };
}
