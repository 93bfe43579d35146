import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { flagOf, SETTINGS } from "../../server/config.ts";
import { runKato } from "../support/kato.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";

const COMMANDS = ["serve", "replay", "evaluate", "incident", "doctor"];
const CLI = fileURLToPath(new URL("../../server/cli.ts", import.meta.url));

describe("kato", () => {
  it("lists its commands with --help", async () => {
    const { code, stdout, stderr } = await runKato(["--help"]);

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} +\\S`, "m"));
  });

  it("tells its release with --version", async () => {
    const manifest = new URL("../../server/package.json", import.meta.url);
    const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };

    expect(await runKato(["--version"])).toEqual({ code: 0, stdout: version, stderr: "" });
  });

  it.each(COMMANDS)("explains %s with --help, flags and examples included", async (command) => {
    const { code, stdout, stderr } = await runKato([command, "--help"]);

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^kato ${command}`));
    expect(stdout).toMatch(/^ {2}--help/m);
    expect(stdout).toMatch(new RegExp(`^Examples\\n {2}kato ${command}`, "m"));
  });

  it("writes no colours into a pipe, whatever the environment says", async () => {
    const { stdout } = await runKato(["--help"], { env: { FORCE_COLOR: "1" } });

    expect(stdout).not.toContain("\u001B");
  });

  it.each(COMMANDS)("refuses an unknown flag of %s in one line", async (command) => {
    const { code, stdout, stderr } = await runKato([command, "--nonsense"]);

    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.split("\n")).toHaveLength(1);
    expect(stderr).toBe(`kato ${command}: Unknown option '--nonsense'; see kato ${command} --help`);
  });

  it.each([
    ["an unknown command", ["fly"], /^kato: there is no command "fly"; see kato --help$/],
    [
      "a number that is none",
      ["incident", "--workers", "many"],
      /^kato incident: --workers "many": expected/,
    ],
    [
      "an address that is none",
      ["incident", "--url", "localhost"],
      /^kato incident: --url: expected/,
    ],
    ["an argument too few", ["replay"], /^kato replay: expected FILE, given none/],
  ])("refuses %s in one line", async (_what, args, line) => {
    const { code, stdout, stderr } = await runKato(args);

    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(line);
    expect(stderr.split("\n")).toHaveLength(1);
  });

  it("does not repeat an address that stands in the wrong place, since it may hold a password", async () => {
    const { code, stdout, stderr } = await runKato(["doctor", "redis://:secret@127.0.0.1"]);

    expect(code).toBe(2);
    expect(stdout + stderr).not.toContain("secret");
  });

  it("shows its help and fails without a command", async () => {
    const { code, stdout, stderr } = await runKato([]);

    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Commands");
  });
});

describe("kato serve", () => {
  it("lists every setting with its flag, variable, default and meaning", async () => {
    const { stdout } = await runKato(["serve", "--help"]);
    const lines = stdout.split("\n").map((line) => line.trim().split(/ {2,}/));

    for (const setting of Object.values(SETTINGS)) {
      const meaning = setting.meaning.replaceAll("`", "");
      expect(lines).toContainEqual([
        `--${flagOf(setting.env)}`,
        setting.env,
        setting.default,
        meaning,
      ]);
    }
  });

  it("refuses a setting out of range in one line", async () => {
    const { code, stderr } = await runKato(["serve", "--port", "x"]);

    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'kato: --port "x": expected a whole number',
    });
  });

  it("ends with the process that started it with a channel to itself", async () => {
    await using directory = await makeTemporaryDirectory();
    const store = `sqlite:${join(directory.path, "kato.db")}`;
    const args = [CLI, "serve", "--port", "0", "--store", store, "--log-format", "json"];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit", "ipc"] });
    const exited = once(child, "exit");
    for await (const line of createInterface({ input: child.stdout! })) {
      if (line.includes("kato-rpc listening")) break;
    }

    child.disconnect();

    expect(await exited).toEqual([0, null]);
  });
});
