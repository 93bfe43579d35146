import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { watchLoad } from "../../../server/monitor/load-log.ts";

const LIMIT = 100;

function openLoadLog() {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { base: null, timestamp: false, formatters: { level: (level) => ({ level }) } },
    { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  return { lines, load: watchLoad(log, LIMIT) };
}

describe("the load in the log", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it("is a warning at 80 % and an error at 95 %", () => {
    const { lines, load } = openLoadLog();

    load.onStatus("warning", 80);
    load.onStatus("critical", 95);

    expect(lines).toEqual([
      {
        level: "warn",
        status: "warning",
        running: 80,
        limit: LIMIT,
        utilizationPercent: 80,
        msg: "80 % of the concurrency limit reached",
      },
      {
        level: "error",
        status: "critical",
        running: 95,
        limit: LIMIT,
        utilizationPercent: 95,
        msg: "95 % of the concurrency limit reached",
      },
    ]);
  });

  it("says nothing when a threshold is crossed downwards", () => {
    const { lines, load } = openLoadLog();
    load.onStatus("critical", 95);

    vi.advanceTimersByTime(2_000);
    load.onStatus("warning", 94);
    load.onStatus("healthy", 79);

    expect(lines).toHaveLength(1);
  });

  it("is told once a second at most while it swings around a threshold", () => {
    const { lines, load } = openLoadLog();

    for (let ms = 0; ms < 3_000; ms += 10) {
      load.onStatus("warning", 80);
      load.onStatus("healthy", 79);
      vi.advanceTimersByTime(10);
    }

    expect(lines).toHaveLength(3);
  });

  it("is reported every 60 s", () => {
    const { lines, load } = openLoadLog();
    const admission = { running: 3, waiting: 1, peak: 7 };
    load.start(admission);

    vi.advanceTimersByTime(59_999);
    expect(lines).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(lines).toEqual([
      {
        level: "info",
        running: 3,
        waiting: 1,
        utilizationPercent: 3,
        peak: 7,
        peakPercent: 7,
        limit: LIMIT,
        msg: "concurrency",
      },
    ]);
    admission.peak = 8;
    vi.advanceTimersByTime(60_000);
    expect(lines[1]).toMatchObject({ peak: 8, peakPercent: 8 });

    load.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
