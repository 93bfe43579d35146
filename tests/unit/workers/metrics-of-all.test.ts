import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MetricsOfAll } from "../../../server/workers/metrics-of-all.ts";

describe("MetricsOfAll", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it("gives each question its own answer", async () => {
    const asked: number[] = [];
    const metrics = new MetricsOfAll((id) => asked.push(id));
    const texts = Promise.all([metrics.text(), metrics.text()]);

    for (const id of [...asked].reverse()) metrics.receive(id, `answer ${id}`);

    expect(await texts).toEqual(asked.map((id) => `answer ${id}`));
    expect(vi.getTimerCount()).toBe(0);
  });

  it("gives up when the primary is silent", async () => {
    const outcome = expect(new MetricsOfAll(() => undefined).text()).rejects.toThrow(
      "the primary did not answer within 3000 ms",
    );

    await vi.advanceTimersByTimeAsync(3_000);

    await outcome;
  });
});
