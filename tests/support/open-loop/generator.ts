/**
 * A process that loads a service and prints what it saw as one line of JSON. Closed loop: so many connections, each
 * with its next request once the last is answered. Open loop: so many calls a second, whatever becomes of those before.
 */
import { readCpuMs } from "../process-usage.ts";
import type { Answered } from "./connection.ts";
import { Connection } from "./connection.ts";
import type { GeneratorOptions, GeneratorReport } from "./load.ts";
import { LoadRecorder } from "./load-recorder.ts";
import { outcomesOf } from "./outcomes.ts";
import { requestsOf } from "./requests.ts";
import { sleepToTick } from "./sleep-to-tick.ts";

const options = JSON.parse(process.argv[2] ?? "") as GeneratorOptions;
const { callsPerRequest, shape, watched = {} } = options;
const { hostname, port } = new URL(options.url);
const requests = requestsOf(options);
/** A sequence is answered once for all that it holds. */
const answersPerRequest = shape === "sequence" ? 1 : callsPerRequest;

/** Opened and used once before the load, at most: more are opened when they are needed. */
const WARM_CONNECTIONS = 256;
/** So many of them are warmed at a time, which is no load yet. */
const WARMED_AT_ONCE = 4;

const connections = new Set<Connection>();
const idle: Connection[] = [];
await warmUp();
let recorder = new LoadRecorder();
let made = 0;
let unsent = 0;
if (options.warmUpSeconds !== undefined) {
  await loadFor(options.warmUpSeconds);
  const { failures, latencies } = recorder.report();
  if (latencies.ok.count !== made * callsPerRequest) {
    throw new Error(`calls failed before anything was measured: ${JSON.stringify(failures)}`);
  }
  recorder = new LoadRecorder();
  made = 0;
  unsent = 0;
}
const cpuBefore = readCpu();
await loadFor(options.seconds);
const cpuMs = Object.entries(readCpu()).map(([name, ms]) => [name, ms - (cpuBefore[name] ?? 0)]);
const report: GeneratorReport = {
  made: made * callsPerRequest,
  unsent: unsent * callsPerRequest,
  connections: connections.size,
  cpuMs: Object.fromEntries(cpuMs) as Record<string, number>,
  ...recorder.report(),
};
for (const connection of connections) connection.close();
process.stdout.write(`${JSON.stringify(report)}\n`);

function loadFor(seconds: number): Promise<void> {
  const { ratePerSecond } = options;
  if (ratePerSecond === undefined) return loadClosed(seconds);
  return loadOpen(ratePerSecond / callsPerRequest, seconds);
}

function readCpu(): Record<string, number> {
  const named = Object.entries({ ...watched, generator: [process.pid] });
  return Object.fromEntries(named.map(([name, pids]) => [name, readCpuMs(pids)]));
}

function open(): Connection {
  const connection = new Connection(hostname, Number(port));
  connections.add(connection);
  return connection;
}

/**
 * Neither the opening of connections nor what service and generator only learn to do fast by doing it is part of what
 * is measured.
 */
async function warmUp(): Promise<void> {
  const most = Math.min(options.connections, WARM_CONNECTIONS);
  const lines = Array.from({ length: WARMED_AT_ONCE }, async (_, line) => {
    for (let i = line; i < most; i += WARMED_AT_ONCE) {
      const connection = open();
      const answered = await new Promise<Answered | undefined>((resolve) => {
        connection.send(requestAt(i), resolve);
      });
      outcomesOf(answered, answersPerRequest);
      idle.push(connection);
    }
  });
  await Promise.all(lines);
}

function requestAt(turn: number): Buffer {
  const request = requests[turn % requests.length];
  if (request === undefined) throw new Error("no sessions to call");
  return request;
}

/** An idle connection, or a new one; undefined when there are as many as may be. */
function takeConnection(): Connection | undefined {
  for (let known = idle.pop(); known !== undefined; known = idle.pop()) {
    if (!known.isBroken) return known;
    connections.delete(known);
  }
  return connections.size < options.connections ? open() : undefined;
}

type Sending = { turn: number; dueAt: number; onAnswered: () => void };

/** Latencies count from `dueAt`, so that a generator that lags cannot hide a service that does. */
function send(connection: Connection, { turn, dueAt, onAnswered }: Sending): void {
  made += 1;
  recorder.sent(dueAt);
  connection.send(requestAt(turn), (answered) => {
    for (const outcome of outcomesOf(answered, answersPerRequest)) {
      recorder.record(outcome, { dueAt, calls: callsPerRequest / answersPerRequest });
    }
    if (connection.isBroken) connections.delete(connection);
    else idle.push(connection);
    onAnswered();
  });
}

/**
 * Resolves once the last request is answered, as `loadOpen` does. Each line has requests of its own, as far as they go
 * round, so that its sessions are called by one connection at a time.
 */
async function loadClosed(seconds: number): Promise<void> {
  const until = performance.now() + seconds * 1_000;
  const lines = Array.from({ length: options.connections }, async (_, line) => {
    let turn = line;
    for (let dueAt = performance.now(); dueAt < until; dueAt = performance.now()) {
      const connection = takeConnection() ?? open();
      await new Promise<void>((onAnswered) => send(connection, { turn, dueAt, onAnswered }));
      turn += options.connections;
      if (turn >= requests.length) turn = line;
    }
  });
  await Promise.all(lines);
}

async function loadOpen(requestsPerSecond: number, seconds: number): Promise<void> {
  const startedAt = performance.now();
  const total = Math.round(requestsPerSecond * seconds);
  const allAnswered = Promise.withResolvers<void>();
  // Counted, since a promise for each call would be kept, and have the generator collect garbage while it measures.
  let left = total;
  const onAnswered = (): void => {
    left -= 1;
    if (left === 0) allAnswered.resolve();
  };
  const sendNow = (dueAt: number): void => {
    const connection = takeConnection();
    if (connection === undefined) {
      unsent += 1;
      onAnswered();
      return;
    }
    send(connection, { turn: made, dueAt, onAnswered });
  };
  for (let sent = 0; sent < total;) {
    const due = ((performance.now() - startedAt) * requestsPerSecond) / 1_000;
    for (; sent < Math.min(total, due); sent += 1) {
      sendNow(startedAt + (sent * 1_000) / requestsPerSecond);
    }
    const nextDueMs = startedAt + (sent * 1_000) / requestsPerSecond - performance.now();
    await sleepToTick(nextDueMs);
  }
  if (total > 0) await allAnswered.promise;
}
