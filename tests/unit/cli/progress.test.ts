import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { formatDuration, formatLine, openProgress } from "../../../server/cli/progress.ts";

const STEP = { label: "sending", unit: "events", total: 10_000 };

describe("a line of progress", () => {
  it("tells rate and time left while the step lasts", () => {
    expect(formatLine(STEP, 2_500, 1_000)).toBe(
      "sending: 2,500 of 10,000 events (25 %), 2,500/s, 3 s left",
    );
  });

  it("tells the time taken at the end", () => {
    expect(formatLine(STEP, 10_000, 4_250)).toBe(
      "sending: 10,000 of 10,000 events (100 %), 2,353/s, 4.3 s",
    );
  });

  it("promises nothing before the first is done", () => {
    expect(formatLine(STEP, 0, 1_000)).toBe("sending: 0 of 10,000 events (0 %), 0/s");
  });

  it.each([
    [0.2, "1 s"],
    [59.5, "1 min 0 s"],
    [130, "2 min 10 s"],
    [3_900, "1 h 5 min"],
  ])("calls %d seconds %s", (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});

describe("progress", () => {
  it("is a bar as wide as a terminal allows, which ends with its own line", () => {
    const { output, written } = createOutput({ columns: 100 });
    const progress = openProgress(output, { ...STEP, total: 4 });

    progress.add(4);
    progress.end();

    const drawn = written();
    expect(drawn).toContain(`${"█".repeat(40)}  sending: 4 of 4 events (100 %)`);
    expect(drawn).toContain("\n");
  });

  it("leaves the bar out where a terminal has no room for it", () => {
    const { output, written } = createOutput({ columns: 50 });
    const progress = openProgress(output, { ...STEP, total: 4 });

    progress.end();

    expect(written()).toContain("sending: 0 of 4 events");
    expect(written()).not.toContain("░");
  });

  it("is a plain line at the end of a short step elsewhere", () => {
    const { output, written } = createOutput(undefined);
    const progress = openProgress(output, { ...STEP, total: 4 });

    progress.add(3);
    progress.add(1);
    progress.end();

    expect(written()).toMatch(/^sending: 4 of 4 events \(100 %\), [\d,]+\/s, 0\.0 s\n$/);
  });
});

function createOutput(terminal: { columns: number } | undefined) {
  const stream = Object.assign(new PassThrough({ encoding: "utf8" }), {
    isTTY: terminal !== undefined,
    columns: terminal?.columns,
  });
  let text = "";
  stream.on("data", (chunk: string) => (text += chunk));
  const output = {
    terminal,
    stream,
    line: (line = "") => void stream.write(`${line}\n`),
    style: (_style: unknown, plain: string) => plain,
  };
  return { output, written: () => text };
}
