import { describe, expect, it } from "vitest";
import { OomKills } from "../../../server/workers/oom-kills.ts";

function countersWith(kills: number): string {
  return `nr_free_pages 1234\npgfault 99\noom_kill ${kills}\ndrop_pagecache 0\n`;
}

describe("OomKills", () => {
  it("tells once of kills since it was last asked", () => {
    let kills = 3;
    const oomKills = new OomKills(() => countersWith(kills));

    expect(oomKills.mayBeNew()).toBe(false);
    kills = 5;
    expect([oomKills.mayBeNew(), oomKills.mayBeNew()]).toEqual([true, false]);
  });

  it.each([
    [
      "counters cannot be read",
      () => {
        throw new Error("ENOENT");
      },
    ],
    ["counters lack it", () => "pgfault 99\n"],
  ])("rules none out where the %s", (_, read) => {
    const oomKills = new OomKills(read);

    expect([oomKills.mayBeNew(), oomKills.mayBeNew()]).toEqual([true, true]);
  });

  it.runIf(process.platform === "linux")("reads the counters of this machine", () => {
    const oomKills = new OomKills();

    expect(oomKills.mayBeNew()).toBe(false);
  });
});
