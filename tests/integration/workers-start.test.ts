import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { dataOf } from "../support/http-calls.ts";
import { openTestStore } from "../support/service.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { watchService } from "../support/watched-service.ts";

describe("a worker", () => {
  it("has the compile cache from its very start", async () => {
    await using directory = await makeTemporaryDirectory();
    await using store = await openTestStore("sqlite");
    await using service = await watchService({
      store: store.url,
      env: { TMPDIR: directory.path },
    });

    const [pid] = service.workerPids();
    const environment = (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0");
    const cache = `${directory.path}/node-compile-cache`;

    expect(environment).toContain(`NODE_COMPILE_CACHE=${cache}`);
    // One folder, for this release of Node: the worker's is the primary's.
    expect(await readdir(cache)).toHaveLength(1);
  });

  it("starts all the same where no cache can be kept", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({
      store: store.url,
      env: { TMPDIR: "/dev/null" },
    });

    expect(await dataOf(service.url, "monitor.health")).toMatchObject({ status: "healthy" });
    const [pid] = service.workerPids();
    const environment = await readFile(`/proc/${pid}/environ`, "utf8");
    expect(environment).not.toContain("NODE_COMPILE_CACHE");
  });
});
