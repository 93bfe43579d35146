import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { endRecordedProcesses, recordProcess } from "../support/process-records.ts";
import { findProcessStatus } from "../support/process-status.ts";
import { startProcess } from "../support/processes.ts";
import { RUN_DIRECTORY_VARIABLE } from "../support/run-directory.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";

/** A node process that runs a script given as text. */
function startScript(script: string, env: Record<string, string | undefined> = {}) {
  return startProcess({ command: process.execPath, args: ["-e", script], env });
}

describe("startProcess", () => {
  test("gives the match of a line written to either stream, and tells how the process ended", async () => {
    await using child = await startScript(
      `console.log("listening on 4711"); console.error("a warning"); process.exitCode = 3;`,
    );

    const [, port] = await child.waitForLine(/listening on (\d+)/);
    await child.waitForLine(/warning/);

    expect(port).toBe("4711");
    expect(await child.exited).toEqual({ code: 3, signal: null });
    expect(child.stdout).toEqual(["listening on 4711"]);
    expect(child.stderr).toEqual(["a warning"]);
    // It came long ago.
    expect(await child.waitForLine(/a (warning)/)).toContain("warning");
  });

  test("shows the output when the process ends without the awaited line", async () => {
    await using child = await startScript(`console.log("something else")`);

    await expect(child.waitForLine(/ready/)).rejects.toThrow(
      /ended without .*\/ready\/.*something else/s,
    );
  });

  test("shows the output when the awaited line is late", async () => {
    await using child = await startScript(`console.log("starting"); setInterval(() => {}, 1000)`);
    await child.waitForLine(/starting/);

    await expect(child.waitForLine(/ready/, 50)).rejects.toThrow(/in 50 ms.*starting/s);
  });

  test("rejects when the command does not exist", async () => {
    await expect(startProcess({ command: "no-such-command" })).rejects.toThrow("ENOENT");
  });

  test("kills a process that ignores SIGTERM", async () => {
    await using child = await startScript(
      `process.on("SIGTERM", () => {}); console.log("deaf"); setInterval(() => {}, 1000)`,
    );
    await child.waitForLine(/deaf/);

    expect(await child.stop({ killAfterMs: 50 })).toEqual({ code: null, signal: "SIGKILL" });
    expect(() => child.signal("SIGTERM")).toThrow("has ended");
  });

  test("ends a paused process with SIGTERM", async () => {
    await using child = await startScript(`console.log("up"); setInterval(() => {}, 1000)`);
    await child.waitForLine(/up/);
    child.signal("SIGSTOP");

    expect(await child.stop()).toEqual({ code: null, signal: "SIGTERM" });
  });

  test("adds to and removes from the environment, and keeps a developer's settings out of it", async () => {
    process.env["KATO_PORT"] = "1";
    try {
      await using child = await startScript(
        `console.log(process.env.KATO_PORT, process.env.KATO_HOST, process.env.HOME)`,
        { KATO_HOST: "localhost", HOME: undefined },
      );
      await child.exited;

      expect(child.stdout).toEqual(["undefined localhost undefined"]);
    } finally {
      delete process.env["KATO_PORT"];
    }
  });
});

describe("leak check", () => {
  test("does not report a process that was stopped", async () => {
    await using directory = await makeTemporaryDirectory();
    const outer = process.env[RUN_DIRECTORY_VARIABLE];
    process.env[RUN_DIRECTORY_VARIABLE] = directory.path;
    try {
      const child = await startScript(`setInterval(() => {}, 1000)`);
      expect(readdirSync(directory.path)).toEqual([`process-${child.pid}.json`]);

      await child.stop();

      expect(readdirSync(directory.path)).toEqual([]);
      expect(await endRecordedProcesses(directory.path)).toEqual([]);
    } finally {
      process.env[RUN_DIRECTORY_VARIABLE] = outer;
    }
  });

  test("names and kills a process that was forgotten", async () => {
    await using directory = await makeTemporaryDirectory();
    const child = spawn("sleep", ["60"], { stdio: "ignore" });
    const ended = once(child, "exit");
    recordProcess(directory.path, child.pid!, "sleep 60");

    expect(await endRecordedProcesses(directory.path)).toEqual([`${child.pid} sleep 60`]);
    expect(await ended).toEqual([null, "SIGKILL"]);
  });

  test.runIf(existsSync("/proc"))("leaves a later process with the same pid alone", async () => {
    await using directory = await makeTemporaryDirectory();
    await using child = await startScript(`setInterval(() => {}, 1000)`);
    const record = { pid: child.pid, startTime: "1", command: "an earlier process" };
    await writeFile(join(directory.path, `process-${child.pid}.json`), JSON.stringify(record));

    expect(await endRecordedProcesses(directory.path)).toEqual([]);
    expect(findProcessStatus(child.pid)).toBeDefined();
  });

  test("kills the children of a test process that crashes", async () => {
    const support = new URL("../support/processes.ts", import.meta.url).href;
    await using parent = await startScript(
      `const { startProcess } = await import(${JSON.stringify(support)});
       const child = await startProcess({ command: "sleep", args: ["60"] });
       console.log("child", child.pid);
       setTimeout(() => { throw new Error("crash"); }, 1);`,
    );
    const [, pid] = await parent.waitForLine(/child (\d+)/);

    expect((await parent.exited).code).toBe(1);
    expect(findProcessStatus(Number(pid))).toBeUndefined();
  });
});
