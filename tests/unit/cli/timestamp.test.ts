import { describe, expect, it } from "vitest";
import { findTime } from "../../../server/cli/replay/timestamp.ts";

const NOON = Date.UTC(2024, 4, 1, 12);

describe("a timestamp", () => {
  it.each([
    ["2024-05-01 12:00:00", NOON],
    ["2024-05-01T12:00:00Z", NOON],
    ["2024-05-01T12:00", NOON],
    ["2024/05/01 12:00:00.000", NOON],
    ["2024-05-01T14:00:00+02:00", NOON],
    ["2024-05-01 14:00:00 +0200", NOON],
    ["2024-05-01T14:00:00+02", NOON],
    ["2024-05-01T12:00:00,250", NOON + 250],
    [" 2024-05-01 ", Date.UTC(2024, 4, 1)],
    ["1714564800", 1_714_564_800],
    ["-1.5", -1.5],
  ])("may be written as %j", (text, time) => {
    expect(findTime(text)).toBe(time);
  });

  it.each([
    "",
    "noon",
    "01.05.2024 12:00",
    "05/01/2024",
    "2024-13-01",
    "2024-05-01 25:00",
    "1e5",
    "0x10",
  ])("is not guessed from %j", (text) => {
    expect(findTime(text)).toBeUndefined();
  });

  it("tells microseconds apart", () => {
    const times = ["000001", "000002", "000010", "001"].map((digits) =>
      findTime(`2024-05-01T12:00:00.${digits}`),
    );

    expect(times).toEqual(times.toSorted((a = 0, b = 0) => a - b));
    expect(new Set(times).size).toBe(4);
  });

  it("without a zone is not moved by the clock changes of this machine's", () => {
    const hour = (findTime("2024-03-31 03:00:00") ?? 0) - (findTime("2024-03-31 02:00:00") ?? 0);

    expect(hour).toBe(3_600_000);
  });
});
