import { writeFile } from "node:fs/promises";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkHistory } from "../support/history/check-history.ts";
import { createSession, dataOf } from "../support/http-calls.ts";
import { writeWorkerPreload } from "../support/preload.ts";
import { startObservingLoad } from "../support/sdk/observing-load.ts";
import { openTestStore, STORE_KINDS } from "../support/service.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { waitFor } from "../support/wait-for.ts";
import { watchService, type WatchedService } from "../support/watched-service.ts";

type Observed = { time: number };

const DONE = "rolling restart done";

describe.each(STORE_KINDS)("SIGHUP under load on %s", (kind) => {
  it("replaces every worker, and no call fails: neither the SDK's nor one that is made once", async () => {
    await using store = await openTestStore(kind);
    // Of slow calls, which a busy machine has, there is nothing to tell here.
    const env = { KATO_SLOW_MS: "0" };
    await using service = await watchService({ store: store.url, workers: 2, env });
    const load = await startObservingLoad(service.url, { sessions: 3, clients: 2 });
    const once = await Promise.all(
      [1, 2, 3].map(async () => observeInTurn(service, await createSession(service.url))),
    );
    await load.untilBusy(10);
    const first = service.workerPids();

    service.process.signal("SIGHUP");
    await untilLogged(service, DONE, 1);
    const second = service.workerPids();
    await load.untilBusy(10);
    // As `pkill -HUP` does: what the workers are told themselves is nothing to them.
    for (const pid of [...second, service.process.pid]) process.kill(pid, "SIGHUP");
    await untilLogged(service, DONE, 2);
    const third = service.workerPids();
    await load.untilBusy(10);
    await load.stop();
    const lengths = await Promise.all(once.map((client) => client.stop()));

    expect([first.length, second.length, third.length]).toEqual([2, 2, 2]);
    expect(new Set([...first, ...second, ...third]).size).toBe(6);
    const { calls } = load.recorder;
    expect(calls.filter(({ outcome }) => outcome !== "ok")).toEqual([]);
    expect(checkHistory(calls, { retriesInsideCalls: true })).toEqual({ ok: true });
    expect(lengths.map(({ failures }) => failures)).toEqual([[], [], []]);
    for (const { acknowledged, kept } of lengths) expect(kept).toBe(acknowledged);
    expect(service.log().filter(({ level }) => level !== "info")).toEqual([]);
  });
});

describe("SIGHUP", () => {
  it("replaces the only worker, and leaves the port open throughout", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({ store: store.url });
    const before = service.workerPids();
    const client = observeInTurn(service, await createSession(service.url), { keepAlive: false });

    service.process.signal("SIGHUP");
    await service.waitForLog(DONE);
    const { failures, acknowledged, kept } = await client.stop();

    expect(failures).toEqual([]);
    expect(kept).toBe(acknowledged);
    expect(service.workerPids()).toHaveLength(1);
    expect(service.workerPids()).not.toEqual(before);
  });

  it("lets a request that is half received end where it began while its successor serves already", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({ store: store.url });
    const sessionId = await createSession(service.url);
    const [first] = service.workerPids();
    const begun = await beginObservation(service, sessionId);

    service.process.signal("SIGHUP");
    await waitFor(async () => !(await answeringWorker(service)).includes(`-${first}-`), {
      what: "the successor to answer",
    });
    const stillThere = service.workerPids();
    const { status, connection } = await begun.end();

    expect(stillThere).toContain(first);
    expect({ status, connection }).toEqual({ status: 200, connection: "close" });
    await service.waitForLog(DONE);
    expect(service.workerPids()).not.toContain(first);
  });

  it("that comes during a rolling restart makes another one follow", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({ store: store.url });
    const [first] = service.workerPids();

    service.process.signal("SIGHUP");
    await service.waitForLog("worker is replaced");
    service.process.signal("SIGHUP");
    service.process.signal("SIGHUP");
    await service.waitForLog("rolling restart: asked for again");
    await untilLogged(service, DONE, 2);

    const replaced = linesOf(service, "worker is replaced").map(({ pid }) => pid);
    expect(replaced).toHaveLength(2);
    expect(replaced[0]).toBe(first);
    expect(replaced).not.toContain(service.workerPids()[0]);
  });

  it("leaves the workers that serve when a new one does not start, and says why", async () => {
    await using store = await openTestStore("sqlite");
    await using directory = await makeTemporaryDirectory();
    const gate = join(directory.path, "gate");
    const preload = await writeWorkerPreload(
      directory.path,
      `const { existsSync } = await import("node:fs");
       if (existsSync(${JSON.stringify(gate)})) process.exit(7);`,
    );
    await using service = await watchService({
      store: store.url,
      workers: 2,
      env: { NODE_OPTIONS: preload },
    });
    const before = service.workerPids();
    await writeFile(gate, "");

    service.process.signal("SIGHUP");
    const line = await service.waitForLog("rolling restart given up");

    expect(line).toMatchObject({ level: "error", how: "exit code 7" });
    expect(service.workerPids()).toEqual(before);
    await dataOf(service.url, "monitor.health");
  });

  it("leaves the end to SIGTERM, which ends old and new workers alike", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({ store: store.url, workers: 2 });

    service.process.signal("SIGHUP");
    await service.waitForLog("worker is replaced");
    const exit = await service.stop();

    expect(exit).toEqual({ code: 0, signal: null });
  });
});

function linesOf(service: WatchedService, message: string) {
  return service.log().filter(({ msg }) => msg.startsWith(message));
}

function untilLogged(service: WatchedService, message: string, times: number) {
  return waitFor(() => linesOf(service, message).length === times, {
    what: `${times} log lines that start with ${JSON.stringify(message)}`,
    timeoutMs: 30_000,
  });
}

/** The id, which holds the pid, of the worker that takes a new connection. */
async function answeringWorker({ url }: WatchedService): Promise<string> {
  const { workers } = await dataOf<{ workers: { workerId: string }[] }>(
    url,
    "monitor.concurrency",
    { input: { scope: "worker" } },
  );
  return workers[0]?.workerId ?? "";
}

/** Sends the head of a request; resolves when the worker has it, and then sends the body with `end`. */
async function beginObservation({ url }: WatchedService, sessionId: string) {
  const agent = new Agent({ keepAlive: true });
  const body = JSON.stringify({ json: { sessionId, strings: ["a"] } });
  const sent = request(`${url}/trpc/session.observe`, {
    method: "POST",
    agent,
    headers: {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      expect: "100-continue",
    },
  });
  sent.flushHeaders();
  await once(sent, "continue");
  return {
    async end() {
      sent.end(body);
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      response.resume();
      await once(response, "end");
      agent.destroy();
      return { status: response.statusCode, connection: response.headers.connection };
    },
  };
}

/** Observes one call after another, each made once, until it is stopped; on one connection where that is kept alive. */
function observeInTurn(
  { url }: WatchedService,
  sessionId: string,
  { keepAlive }: { keepAlive: boolean } = { keepAlive: true },
) {
  const agent = keepAlive ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined;
  const failures: unknown[] = [];
  let acknowledged = 0;
  const stopping = new AbortController();
  const run = async () => {
    while (!stopping.signal.aborted) {
      await dataOf<Observed>(url, "session.observe", {
        input: { sessionId, strings: ["a"] },
        ...(agent === undefined ? {} : { agent }),
      }).then(
        () => (acknowledged += 1),
        (error: unknown) => failures.push(error),
      );
    }
    agent?.destroy();
  };
  const done = run();
  return {
    async stop() {
      stopping.abort();
      await done;
      const { time: kept } = await dataOf<Observed>(url, "session.stm", { input: { sessionId } });
      return { failures, acknowledged, kept };
    },
  };
}
