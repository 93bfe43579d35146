import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { dataOf } from "../support/http-calls.ts";
import { writeWorkerPreload } from "../support/preload.ts";
import { startProcess } from "../support/processes.ts";
import { openTestStore } from "../support/service.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { watchService } from "../support/watched-service.ts";

const CLI = fileURLToPath(new URL("../../server/cli.ts", import.meta.url));

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

  it("has room for young objects, but as much as the operator says where he does", async () => {
    await using directory = await makeTemporaryDirectory();
    await using store = await openTestStore("sqlite");
    const heapLimits = async (given: string) => {
      const told = join(directory.path, `told${given}`);
      const preload = await writeWorkerPreload(
        directory.path,
        `const { writeFileSync } = await import("node:fs");
         const { getHeapStatistics } = await import("node:v8");
         writeFileSync(${JSON.stringify(told)}, String(getHeapStatistics().heap_size_limit));`,
      );
      const env = { NODE_OPTIONS: `${preload} --max-old-space-size=512 ${given}` };
      await using _service = await watchService({ store: store.url, env });
      return Number(await readFile(told, "utf8"));
    };

    // The limit is the room for old objects and three times that for young ones.
    const byDefault = await heapLimits("");
    expect(await heapLimits("--max-semi-space-size=64")).toBe(byDefault);
    expect(await heapLimits("--max-semi-space-size=32")).toBe(byDefault - 3 * 32 * 2 ** 20);
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

  it("that lacks a part of its code says so, at the start and when it replaces another", async () => {
    await using directory = await makeTemporaryDirectory();
    await using store = await openTestStore("sqlite");
    const gate = join(directory.path, "gate");
    const preload = await writeWorkerPreload(
      directory.path,
      `const { registerHooks } = await import("node:module");
       const { existsSync } = await import("node:fs");
       registerHooks({
         resolve(specifier, context, next) {
           if (specifier.endsWith("/worker.ts") && existsSync(${JSON.stringify(gate)}))
             throw new Error("a part is missing");
           return next(specifier, context);
         },
       });`,
    );
    const env = { NODE_OPTIONS: preload };
    await using service = await watchService({ store: store.url, env });
    await writeFile(gate, "");

    service.process.signal("SIGHUP");
    const line = await service.waitForLog("rolling restart given up");
    expect(line).toMatchObject({ level: "error", reason: "a part is missing" });
    await dataOf(service.url, "monitor.health");

    await using failing = await startProcess({
      command: process.execPath,
      args: [CLI, "serve", "--port", "0", "--log-format", "json"],
      env: { ...env, KATO_STORE: store.url },
    });
    await failing.waitForLine(/cannot start: a part is missing/);
    expect(await failing.exited).toEqual({ code: 1, signal: null });
  });

  it("is heard also of what it says before the primary has loaded", async () => {
    await using directory = await makeTemporaryDirectory();
    await using store = await openTestStore("sqlite");
    const preload = join(directory.path, "preload.mjs");
    await writeFile(
      preload,
      `import cluster from "node:cluster";
       import { registerHooks } from "node:module";
       if (cluster.isPrimary) registerHooks({
         load(url, context, next) {
           const loaded = next(url, context);
           if (!url.endsWith("/workers/primary.ts")) return loaded;
           const wait = "await new Promise((go) => setTimeout(go, 2_000));";
           return { ...loaded, source: wait + String(loaded.source) };
         },
       });`,
    );

    await using service = await watchService({
      store: store.url,
      env: { NODE_OPTIONS: `--import=${preload}`, KATO_START_SECONDS: "600" },
    });

    expect(await dataOf(service.url, "monitor.health")).toMatchObject({ status: "healthy" });
  });

  it("does not touch the store where the address is taken", async () => {
    await using directory = await makeTemporaryDirectory();
    await using store = await openTestStore("sqlite");
    await using other = await watchService({ store: store.url });
    const untouched = join(directory.path, "untouched.db");
    const { port } = new URL(other.url);

    await using service = await startProcess({
      command: process.execPath,
      args: [CLI, "serve", "--host", "127.0.0.1", "--port", port, "--store", `sqlite:${untouched}`],
    });

    expect(await service.exited).toEqual({ code: 1, signal: null });
    expect(existsSync(untouched)).toBe(false);
  });
});
