import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findMarkedProcesses, MARK_VARIABLE } from "./marked-processes.ts";
import type { StartedProcess } from "./processes.ts";
import { startProcess } from "./processes.ts";
import { makeTemporaryDirectory } from "./temporary-directory.ts";

const CLI = fileURLToPath(new URL("../../server/cli.ts", import.meta.url));

export type KatoOptions = {
  /** Added to the environment; `KATO_*` of a developer's own never are. */
  env?: Readonly<Record<string, string>>;
  cwd?: string;
};

/** What a `kato …` that has ended wrote, and how it ended. */
export type KatoResult = { code: number | null; stdout: string; stderr: string };

export type StartedKato = {
  process: StartedProcess;
  /** Rejects when the command left a process or a temporary file behind. */
  ended: Promise<KatoResult>;
};

/** Runs `kato …` as its users do, with its output piped. */
export async function runKato(args: readonly string[], options?: KatoOptions): Promise<KatoResult> {
  const { ended } = await startKato(args, options);
  return ended;
}

export async function startKato(
  args: readonly string[],
  { env, cwd }: KatoOptions = {},
): Promise<StartedKato> {
  const mark = randomUUID();
  const temporary = await makeTemporaryDirectory();
  const process_ = await startProcess({
    command: process.execPath,
    args: [CLI, ...args],
    env: {
      TMPDIR: temporary.path,
      // A test that forces colours would be warned that they contradict.
      NO_COLOR: undefined,
      // Kept from run to run, since a cold start takes much longer.
      NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache"),
      ...env,
      [MARK_VARIABLE]: mark,
    },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const untilEnded = async (): Promise<KatoResult> => {
    const { code } = await process_.exited;
    const processes = findMarkedProcesses(mark);
    for (const pid of processes) process.kill(pid, "SIGKILL");
    const files = await readdir(temporary.path);
    await temporary.remove();
    if (processes.length + files.length > 0) {
      throw new Error(`kato ${args.join(" ")} left behind: ${[...processes, ...files].join(", ")}`);
    }
    return { code, stdout: process_.stdout.join("\n"), stderr: process_.stderr.join("\n") };
  };
  return { process: process_, ended: untilEnded() };
}
