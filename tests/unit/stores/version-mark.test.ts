import { expect, it, vi } from "vitest";
import type * as VersionMark from "../../../server/stores/version-mark.ts";

const MODULE = "../../../server/stores/version-mark.ts";

/** As each process loads it for itself. */
async function loadAnew(): Promise<typeof VersionMark> {
  vi.resetModules();
  return (await import(MODULE)) as typeof VersionMark;
}

it("draws marks that are all different, in one process and in others", async () => {
  const marks: string[] = [];
  for (let processes = 0; processes < 20; processes += 1) {
    const { drawVersionMark } = await loadAnew();
    for (let drawn = 0; drawn < 1_000; drawn += 1) marks.push(drawVersionMark());
  }

  expect(new Set(marks).size).toBe(20_000);
  expect(marks.filter((mark) => !/^[\w-]{13,20}$/.test(mark))).toEqual([]);
});
