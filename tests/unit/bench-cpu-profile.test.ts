import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import type { CpuProfile } from "../bench/profile/cpu-profile.ts";
import { functionOf, partOf, readBusiestProfile, shareBy } from "../bench/profile/cpu-profile.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";

const ROOT = new URL("../../", import.meta.url);

/** Functions by the time that each took itself, in µs. */
function profileOf(times: readonly [functionName: string, url: string, time: number][]) {
  return {
    nodes: times.map(([functionName, url], id) => ({
      id,
      callFrame: { functionName, url, lineNumber: 1 },
    })),
    samples: times.map((_, id) => id),
    timeDeltas: times.map(([, , time]) => time),
  } satisfies CpuProfile;
}

const profile = profileOf([
  ["commit", new URL("server/sessions/session-committer.ts", ROOT).href, 50],
  ["(idle)", "", 900],
  ["send", new URL("node_modules/ioredis/built/Redis.js", ROOT).pathname, 20],
  ["commit", new URL("server/sessions/session-committer.ts", ROOT).href, 25],
  ["(garbage collector)", "", 5],
]);

describe("a processor profile", () => {
  it("shares out the time in which the thread was not idle", () => {
    expect(shareBy(profile, functionOf)).toEqual([
      { name: "commit server/sessions/session-committer.ts", share: 0.75 },
      { name: "send ioredis/built/Redis.js", share: 0.2 },
      { name: "(garbage collector)", share: 0.05 },
    ]);
    expect(shareBy(profile, partOf)).toMatchObject([
      { name: "server/sessions" },
      { name: "ioredis/built" },
      { name: "(garbage collector)" },
    ]);
  });

  it("is that of the thread that worked most", async () => {
    await using directory = await makeTemporaryDirectory();
    const folder = join(directory.path, "profiles");
    await mkdir(folder);
    const lazy = profileOf([["wait", pathToFileURL("/lazy.ts").href, 1]]);
    await writeFile(join(folder, "1.cpuprofile"), JSON.stringify(lazy));
    await writeFile(join(folder, "2.cpuprofile"), JSON.stringify(profile));

    expect(await readBusiestProfile(folder)).toEqual(profile);
  });
});
