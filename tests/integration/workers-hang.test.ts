import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkHistory } from "../support/history/check-history.ts";
import { send } from "../support/http-calls.ts";
import { writeWorkerPreload } from "../support/preload.ts";
import { startObservingLoad } from "../support/sdk/observing-load.ts";
import { openTestStore } from "../support/service.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { waitFor } from "../support/wait-for.ts";
import { watchService } from "../support/watched-service.ts";

describe("a worker that stands still under load", () => {
  it("is killed and replaced, told apart from one that crashed, and costs the SDK no call", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({
      store: store.url,
      workers: 2,
      env: { KATO_HANG_SECONDS: "2" },
    });
    const load = await startObservingLoad(service.url, { sessions: 3, clients: 2 });
    await load.untilBusy(10);
    const [hanging, crashing] = service.workerPids();

    process.kill(hanging!, "SIGSTOP");
    const told = await waitFor(
      () => service.log().find(({ msg, pid }) => pid === hanging && msg.startsWith("worker hangs")),
      { what: "the worker to be found hanging" },
    );
    const death = await waitFor(
      () => service.log().find(({ msg, pid }) => pid === hanging && msg === "worker died"),
      { what: "its death" },
    );
    process.kill(crashing!, "SIGKILL");
    await waitFor(() => service.log().find(({ pid, how }) => pid === crashing && how), {
      what: "the other one's death",
    });
    await load.untilBusy(10);
    await load.stop();

    expect(told).toMatchObject({
      level: "error",
      msg: "worker hangs: no sign of life for 2 s, killed",
    });
    expect(death).toMatchObject({ level: "error", how: "hang", restartInMs: expect.any(Number) });
    const { text } = await send(`${service.url}/metrics`);
    expect(countOf(text, "hung")).toBeGreaterThanOrEqual(1);
    expect(countOf(text, "crashed")).toBe(1);
    const { calls } = load.recorder;
    expect(calls.filter(({ outcome }) => outcome !== "ok")).toEqual([]);
    expect(checkHistory(calls, { retriesInsideCalls: true })).toEqual({ ok: true });
  });
});

describe("a worker that stands still while it starts", () => {
  it("is killed and started anew, though the one it was to succeed is gone", async () => {
    await using store = await openTestStore("sqlite");
    await using directory = await makeTemporaryDirectory();
    const gate = join(directory.path, "gate");
    const preload = await writeWorkerPreload(
      directory.path,
      `const { existsSync, rmSync } = await import("node:fs");
       if (existsSync(${JSON.stringify(gate)})) {
         rmSync(${JSON.stringify(gate)});
         Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
       }`,
    );
    await using service = await watchService({
      store: store.url,
      env: { KATO_START_SECONDS: "4", NODE_OPTIONS: preload },
    });
    const [first] = service.workerPids();
    await writeFile(gate, "");

    service.process.signal("SIGHUP");
    await waitFor(() => !existsSync(gate), { what: "the successor to stand still" });
    process.kill(first!, "SIGKILL");
    await service.waitForLog("worker died; its successor is starting");
    const calls = [1, 2, 3].map(() => send(`${service.url}/health`));
    const told = await service.waitForLog("worker hangs");
    const statuses = (await Promise.all(calls)).map(({ status }) => status);

    expect(told).toMatchObject({
      level: "error",
      msg: "worker hangs: not ready 4 s after its start, killed",
    });
    expect(statuses).toEqual([200, 200, 200]);
    const { text } = await send(`${service.url}/metrics`);
    expect(countOf(text, "hung")).toBeGreaterThanOrEqual(1);
    await service.waitForLog("rolling restart done");
  });
});

function countOf(metrics: string, how: string): number {
  const [, count] = new RegExp(`^kato_worker_ends_total\\{how="${how}"\\} (\\d+)$`, "m").exec(
    metrics,
  ) ?? ["", "-1"];
  return Number(count);
}
