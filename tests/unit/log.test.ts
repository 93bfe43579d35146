import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { reasonOf } from "../../server/log.ts";

const LOG = fileURLToPath(new URL("../../server/log.ts", import.meta.url));

type Line = {
  level: string;
  msg: string;
  err: { type: string; message: string; stack: string; causes?: Line["err"][] };
};

/** The lines that `code` logs in a process of its own; it has `log`. */
async function linesOf(code: string, logFormat: "json" | "pretty" = "json"): Promise<string[]> {
  const script = `
    import { openLog } from ${JSON.stringify(LOG)};
    const { log, close } = openLog({ logLevel: "info", logFormat: "${logFormat}" });
    ${code}
    await close();`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    "--input-type=module",
    "--eval",
    script,
  ]);
  expect(stderr).toBe("");
  return stdout.trimEnd().split("\n");
}

async function loggedError(expression: string): Promise<Line> {
  const [line = ""] = await linesOf(`log.error({ err: ${expression} }, "failed");`);
  return JSON.parse(line) as Line;
}

describe("the log", () => {
  it("holds an error's type, message, origin and causes", async () => {
    const { err } = await loggedError(
      'new RangeError("outer", { cause: new TypeError("inner", { cause: new Error("innermost") }) })',
    );

    expect(err).toMatchObject({ type: "RangeError", message: "outer" });
    expect(err.stack).toMatch(/^\s+at /);
    expect(err.causes?.map(({ type, message }) => [type, message])).toEqual([
      ["TypeError", "inner"],
      ["Error", "innermost"],
    ]);
  });

  it("holds no other field of an error: a driver's carry the arguments of its command", async () => {
    const line = await loggedError(
      'Object.assign(new Error("WRONGTYPE"), { command: { name: "evalsha", args: ["SECRET"] } })',
    );

    expect(line.err.message).toBe("WRONGTYPE");
    expect(JSON.stringify(line)).not.toContain("SECRET");
  });

  it("holds no text that could not be parsed, whoever passed the error on", async () => {
    const line = await loggedError(`(() => {
      try { JSON.parse("SECRET"); } catch (cause) { return new Error(cause.message, { cause }); }
    })()`);

    expect(line.err.causes?.[0]?.type).toBe("SyntaxError");
    expect(JSON.stringify(line)).not.toContain("SECRET");
  });

  it("survives what is thrown but is no error", async () => {
    const { err } = await loggedError('"SECRET"');

    expect(err).toEqual({ type: "unknown", message: "not an error", stack: "" });
  });

  it("is one line a call in plain words when asked to be pretty", async () => {
    const lines = await linesOf(
      'log.info({ procedure: "session.get", outcome: "ok" }, "call"); log.warn("careful");',
      "pretty",
    );

    expect(lines).toEqual([
      expect.stringMatching(
        /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: call \{"procedure":"session.get","outcome":"ok"\}$/,
      ),
      expect.stringMatching(/^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: careful$/),
    ]);
  });
});

describe("reasonOf", () => {
  it.each([
    [new Error("why"), "why"],
    [new TypeError(""), "TypeError"],
    [new AggregateError([new Error("one"), new Error("two")]), "one; two"],
    [new AggregateError([new Error("one")], "all failed"), "all failed"],
    ["text", "text"],
  ])("of %o is %j", (error, reason) => {
    expect(reasonOf(error)).toBe(reason);
  });
});
