/**
 * A process that loads a service and prints what it saw as one line of JSON. Closed loop: so many connections, each
 * with its next request once the last is answered. Open loop: so many calls a second, whatever becomes of those before.
 */
import { Connection } from "./connection.ts";
import type { GeneratorOptions, LoadReport } from "./load.ts";
import { LoadRecorder } from "./load-recorder.ts";
import { outcomesOf } from "./outcomes.ts";

const options = JSON.parse(process.argv[2] ?? "") as GeneratorOptions;
const { callsPerRequest, sessionIds } = options;
const { hostname, port } = new URL(options.url);
const requests = sessionIds.map((_, i) => requestOf(i));

const recorder = new LoadRecorder();
const startedAt = performance.now();
const connections = new Set<Connection>();
let made = 0;
let unsent = 0;

if (options.ratePerSecond === undefined) await loadClosed();
else await loadOpen(options.ratePerSecond / callsPerRequest);
const report: LoadReport = {
  made: made * callsPerRequest,
  unsent: unsent * callsPerRequest,
  connections: connections.size,
  ...recorder.report(),
};
for (const connection of connections) connection.close();
process.stdout.write(`${JSON.stringify(report)}\n`);

/** Observes on `callsPerRequest` sessions, from the session at `first` on. */
function requestOf(first: number): Buffer {
  const inputs = Array.from({ length: callsPerRequest }, (_, i) => ({
    json: { sessionId: sessionIds[(first + i) % sessionIds.length], strings: ["symbol"] },
  }));
  const names = inputs.map(() => "session.observe").join(",");
  const isBatch = callsPerRequest > 1;
  const body = JSON.stringify(isBatch ? Object.fromEntries(inputs.entries()) : inputs[0]);
  const head = [
    `POST /trpc/${names}${isBatch ? "?batch=1" : ""} HTTP/1.1`,
    `host: ${hostname}:${port}`,
    "content-type: application/json",
    `content-length: ${body.length}`,
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`);
}

function open(): Connection {
  const connection = new Connection(hostname, Number(port));
  connections.add(connection);
  return connection;
}

/** Latencies count from `dueAt`, so that a generator that lags cannot hide a service that does. */
function send(connection: Connection, dueAt: number, onAnswered: () => void): void {
  const request = requests[(made * callsPerRequest) % requests.length];
  if (request === undefined) throw new Error("no sessions to call");
  made += 1;
  connection.send(request, (answered) => {
    for (const outcome of outcomesOf(answered, callsPerRequest)) recorder.record(outcome, dueAt);
    if (connection.isBroken) connections.delete(connection);
    onAnswered();
  });
}

/** Resolves once the last request is answered, as `loadOpen` does. */
async function loadClosed(): Promise<void> {
  const until = startedAt + options.seconds * 1_000;
  const lines = Array.from({ length: options.connections }, async () => {
    let connection = open();
    for (let now = performance.now(); now < until; now = performance.now()) {
      if (connection.isBroken) connection = open();
      await new Promise<void>((resolve) => send(connection, now, resolve));
    }
  });
  await Promise.all(lines);
}

async function loadOpen(requestsPerSecond: number): Promise<void> {
  const total = Math.round(requestsPerSecond * options.seconds);
  const idle: Connection[] = [];
  const answers: Promise<void>[] = [];
  const sendNow = (dueAt: number): void => {
    const connection = idle.pop();
    if (connection === undefined && connections.size >= options.connections) {
      unsent += 1;
      return;
    }
    const used = connection?.isBroken === false ? connection : open();
    const { promise, resolve } = Promise.withResolvers<void>();
    answers.push(promise);
    send(used, dueAt, () => {
      if (!used.isBroken) idle.push(used);
      resolve();
    });
  };
  for (let sent = 0; sent < total;) {
    const due = ((performance.now() - startedAt) * requestsPerSecond) / 1_000;
    for (; sent < Math.min(total, due); sent += 1) {
      sendNow(startedAt + (sent * 1_000) / requestsPerSecond);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(answers);
}
