import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { call, createSession, dataOf, send } from "../support/http-calls.ts";
import { startRedis } from "../support/redis-server.ts";
import { sendBatch } from "../support/rpc-batch.ts";
import { freePort } from "../support/free-port.ts";
import { openTestStore } from "../support/service.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { waitFor } from "../support/wait-for.ts";
import { type LogLine, watchService, type WatchedService } from "../support/watched-service.ts";

const CLI = fileURLToPath(new URL("../../server/cli.ts", import.meta.url));
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe("the log of calls", () => {
  it("is one line for each call: what, for whom, by whom, how long and with what outcome", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({ store: store.url, env: { KATO_ACCESS_LOG: "on" } });
    const sessionId = await createSession(service.url, "shop");
    const headers = (id: string) => ({ headers: { "x-request-id": id } });

    await call(service.url, "session.observe", { input: { sessionId }, ...headers("observed") });
    await call(service.url, "session.get", { input: { sessionId }, ...headers("got") });
    await call(service.url, "session.observe", { input: {}, ...headers("refused") });
    await call(service.url, "session.nonsense", headers("unknown"));
    const calls = [1, 2].map(() => ({ path: "session.observe", input: { sessionId } }));
    await sendBatch(service.url, calls, { "x-request-id": "batch" });
    await send(`${service.url}/nowhere`, headers("nowhere"));
    const lines = await untilLogged(service, ["batch.0", "batch.1", "nowhere"]);

    const workerId = expect.stringContaining(`-${service.workerPids()[0]}-`);
    const common = { level: "info", time: expect.any(String), workerId };
    const durationMs = expect.any(Number);
    const observe = { procedure: "session.observe", sessionId, nodeId: "shop", outcome: "ok" };
    const line = (requestId: string, fields: object) => ({
      ...common,
      requestId,
      durationMs,
      msg: "call",
      ...fields,
    });
    expect(lines.filter(({ procedure }) => procedure !== "session.create")).toEqual([
      line("observed", observe),
      line("got", { ...observe, procedure: "session.get" }),
      line("refused", { procedure: "session.observe", outcome: "INVALID_INPUT" }),
      line("unknown", { procedure: "unknown", outcome: "PROCEDURE_NOT_FOUND" }),
      line("batch.0", observe),
      line("batch.1", observe),
      line("nowhere", { procedure: "unknown", outcome: "PROCEDURE_NOT_FOUND" }),
    ]);
  });

  it("is silenced by KATO_ACCESS_LOG=off, but for slow calls", async () => {
    await using redis = await startRedis();
    await using service = await watchService({
      store: redis.url,
      env: { KATO_ACCESS_LOG: "off", KATO_SLOW_MS: "100" },
    });
    const sessionId = await createSession(service.url);
    await dataOf(service.url, "session.stm", { input: { sessionId } });

    await redis.pause();
    const startedAt = performance.now();
    const slow = dataOf(service.url, "session.stm", {
      input: { sessionId },
      headers: { "x-request-id": "slow" },
    });
    await waitFor(() => performance.now() - startedAt > 150, { what: "the call to be slow" });
    await redis.resume();
    await slow;
    const line = await waitFor(() => service.log().find(({ requestId }) => requestId === "slow"), {
      what: "the line of the slow call",
    });
    await service.stop();

    expect(line).toMatchObject({
      level: "warn",
      msg: "slow call",
      requestId: "slow",
      procedure: "session.stm",
      sessionId,
      outcome: "ok",
    });
    expect(line["durationMs"]).toBeGreaterThan(100);
    const [start, ...calls] = service.log();
    expect(start?.msg).toMatch(/^kato-rpc listening/);
    expect(calls.at(-1)).toEqual(line);
    // On a busy machine one of the first calls may be slow as well.
    for (const { msg, durationMs } of calls) {
      expect([msg, Number(durationMs) > 100]).toEqual(["slow call", true]);
    }
  });

  it("bears the caller's request id, else that of its trace, else a new one", async () => {
    await using store = await openTestStore("sqlite");
    await using service = await watchService({ store: store.url, env: { KATO_ACCESS_LOG: "on" } });
    const trace = "0af7651916cd43dd8448eb211c80319c";
    const traceparent = `00-${trace}-b7ad6b7169203331-01`;

    const ids: string[] = [];
    for (const headers of [
      { "x-request-id": "mine.1:a~b-c" },
      { traceparent },
      { "x-request-id": "mine-too", traceparent },
      { "x-request-id": "no\tid", traceparent },
      { "x-request-id": "x".repeat(129) },
      { traceparent: "00-nonsense-01" },
    ]) {
      const reply = await call(service.url, "monitor.health", { headers });
      expect(reply.headers["x-request-id"]).toBe(reply.requestId);
      ids.push(reply.requestId ?? "");
    }
    const lines = await untilLogged(service, ids);

    expect(ids).toEqual([
      "mine.1:a~b-c",
      trace,
      "mine-too",
      trace,
      expect.stringMatching(UUID),
      expect.stringMatching(UUID),
    ]);
    expect(lines.map(({ requestId }) => requestId)).toEqual(ids);
  });

  it("loses and mixes up no line of four busy workers, and holds up nobody when it is not read", async () => {
    await using store = await openTestStore("sqlite");
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    await using directory = await makeTemporaryDirectory();
    const pipe = await openPipe(directory.path);
    // Started here, because what is to be seen is a log in a pipe whose reader waits.
    const child = spawn(process.execPath, [CLI, "serve"], {
      env: {
        PATH: process.env["PATH"],
        KATO_PORT: String(port),
        KATO_STORE: store.url,
        KATO_WORKERS: "4",
        KATO_LOG_FORMAT: "json",
        KATO_LOG_LEVEL: "debug",
      },
      stdio: ["ignore", pipe.writeEnd, "inherit"],
    });
    closeSync(pipe.writeEnd);
    try {
      await waitFor(async () => (await send(`${url}/ready`)).status === 200, {
        what: "the service to be ready",
      });
      const sessionId = await createSession(url);
      const sendBatches = async (name: string, count: number) => {
        const input = { sessionId, strings: ["a"] };
        const fifty = Array.from({ length: 50 }, () => ({ path: "session.observe", input }));
        const batches = Array.from({ length: count }, (_, i) =>
          sendBatch(url, fifty, { "x-request-id": `batch-${name}${i}` }),
        );
        const replies = await Promise.all(batches);
        expect(replies.map(({ status }) => status)).toEqual(Array(count).fill(200));
      };
      // Several times what a pipe holds.
      await sendBatches("unread", 20);

      const outcomes: LogLine[] = [];
      const reading = createInterface({ input: pipe.reader }).on("line", (text) => {
        const line = JSON.parse(text) as LogLine;
        const isOfBatch = String(line["requestId"]).startsWith("batch-");
        if (line.msg === "call" && isOfBatch) outcomes.push(line);
      });
      const end = once(reading, "close");
      await waitFor(() => outcomes.length === 1_000, { what: "the lines of all calls" });
      // Of which many are held back yet; the end waits for them, though not for long.
      await sendBatches("held", 5);
      child.kill("SIGTERM");
      await end;

      expect(outcomes).toHaveLength(1_250);
      expect(new Set(outcomes.map(({ requestId }) => requestId)).size).toBe(1_250);
    } finally {
      child.kill("SIGKILL");
      pipe.reader.destroy();
    }
  });
});

/** A pipe as a container's log has it; Node gives children sockets, which take lines in other portions. */
async function openPipe(directory: string): Promise<{ reader: Socket; writeEnd: number }> {
  const path = join(directory, "pipe");
  await promisify(execFile)("mkfifo", [path]);
  // The reader first: without one the other end cannot be opened.
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const reader = new Socket({ fd: readEnd, readable: true, writable: false });
  return { reader, writeEnd: openSync(path, constants.O_WRONLY) };
}

/** Waits until each id has its line; gives the lines of all calls. */
function untilLogged(service: WatchedService, ids: readonly string[]): Promise<LogLine[]> {
  return waitFor(
    () => {
      const lines = service.log().filter(({ msg }) => msg === "call");
      const logged = new Set(lines.map(({ requestId }) => requestId));
      return ids.every((id) => logged.has(id)) ? lines : undefined;
    },
    { what: `the lines of ${ids.join(", ")}` },
  );
}
