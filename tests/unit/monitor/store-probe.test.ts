import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { StoreProbe } from "../../../server/monitor/store-probe.ts";

describe("StoreProbe", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    [5_000, 1_000],
    [600_000, 1_000],
    [400, 100],
  ])("gives the store, where a call has %i ms, %i ms", (callDeadlineMs, timeoutMs) => {
    expect(new StoreProbe(callDeadlineMs).timeoutMs).toBe(timeoutMs);
  });

  it("passes an answer on", async () => {
    await expect(new StoreProbe(5_000).ask(Promise.resolve(7))).resolves.toBe(7);
  });

  it("takes silence for an answer", async () => {
    const silence = new StoreProbe(5_000).ask(new Promise(() => undefined));
    const outcome = expect(silence).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });

    await vi.advanceTimersByTimeAsync(1_020);

    await outcome;
  });
});
