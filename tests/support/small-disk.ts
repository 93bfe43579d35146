import { execFile } from "node:child_process";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeTemporaryDirectory } from "./temporary-directory.ts";

const run = promisify(execFile);

const CHUNK = Buffer.alloc(4_096);

/** A disk of its own, so small that a test can fill it. */
export type SmallDisk = {
  path: string;
  /** Takes all the space that is left. */
  fill(): Promise<void>;
  /** Gives back what `fill` took. */
  free(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * In memory; undefined where this user may not mount one, neither as root nor by sudo without a password.
 *
 * @throws Error where root may not in CI, whose machine is to be set up for it: there no test is left out unseen
 */
export async function openSmallDisk(bytes: number): Promise<SmallDisk | undefined> {
  if (process.platform !== "linux") return undefined;
  const directory = await makeTemporaryDirectory();
  const path = directory.path;
  const options = `size=${bytes},uid=${process.getuid?.()},mode=700`;
  try {
    await asRoot("mount", "-t", "tmpfs", "-o", options, "tmpfs", path);
  } catch (error) {
    await directory.remove();
    if (process.env["CI"] === "true" && process.getuid?.() === 0) {
      throw new Error(
        "root may not mount a small disk here, so that a full one cannot be tested: permit it (CAP_SYS_ADMIN)",
        { cause: error },
      );
    }
    return undefined;
  }
  const ballast = join(path, "ballast");
  return {
    path,
    async fill() {
      await using file = await open(ballast, "a");
      try {
        for (;;) await file.appendFile(CHUNK);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    },
    free: () => rm(ballast),
    async [Symbol.asyncDispose]() {
      await asRoot("umount", path);
      await directory.remove();
    },
  };
}

async function asRoot(...command: [string, ...string[]]): Promise<void> {
  const [program, ...args] = process.getuid?.() === 0 ? command : ["sudo", "-n", ...command];
  await run(program, args);
}
