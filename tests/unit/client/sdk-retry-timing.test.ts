import { describe, expect, it } from "vitest";
import { resolveOptions } from "../../../client/sdk/options.ts";
import { parseRetryAfter, retryDelayMs } from "../../../client/sdk/retry-timing.ts";

describe("the wait before a retry", () => {
  it("is drawn from a range that doubles with every attempt, up to five seconds", () => {
    const ceilings = [1, 2, 3, 4, 5, 6, 7, 8, 50].map((attempts) => retryDelayMs(attempts, 0, 1));

    expect(ceilings).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
    expect(retryDelayMs(4, 0, 0)).toBe(400);
    expect(retryDelayMs(4, 0, 0.5)).toBe(600);
  });

  it("outlasts 8 s without service with the default number of retries, whatever is drawn", () => {
    const { retries } = resolveOptions({ url: "http://127.0.0.1" });

    const least = Array.from({ length: retries }, (_, i) => retryDelayMs(i + 1, 0, 0));

    expect(least.reduce((sum, ms) => sum + ms)).toBeGreaterThan(8_000);
  });

  it("comes on top of what the service asked for", () => {
    expect(retryDelayMs(1, 300, 0)).toBe(350);
    expect(retryDelayMs(1, 300, 0.5)).toBe(375);
  });
});

describe("a Retry-After header", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");

  it("is seconds or a date", () => {
    expect(parseRetryAfter("3", now)).toBe(3_000);
    expect(parseRetryAfter("Thu, 01 Jan 2026 00:00:05 GMT", now)).toBe(5_000);
    expect(parseRetryAfter("Wed, 31 Dec 2025 00:00:00 GMT", now)).toBe(0);
  });

  it("is nothing where there is none or none that makes sense", () => {
    expect(parseRetryAfter(null, now)).toBe(0);
    expect(parseRetryAfter("soon", now)).toBe(0);
  });
});
