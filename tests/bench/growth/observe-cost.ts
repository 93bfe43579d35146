import { Connection } from "../../support/open-loop/connection.ts";
import type { RedisServer } from "../../support/redis-server.ts";
import type { Service } from "../../support/service.ts";
import type { Axis, Panel, Point } from "./curve.ts";
import { inTurns, mediansOf } from "../in-turns.ts";
import { cpuNanoseconds, findProcessTree } from "../../support/process-usage.ts";

/** Each with one request on its way. */
export const CONNECTIONS = 16;

/** Sessions that are observed by turns, so that none has two calls at once. */
export type ObserveTarget = { service: Service; redis: RedisServer; sessionIds: readonly string[] };

/** Of one observe; latency in a closed loop of `CONNECTIONS`. */
export type ObserveCost = {
  serverMicroseconds: number;
  redisMicroseconds: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
};

/** Medians over the rounds, after one round that warms all targets up and isn't counted. */
export async function measureObserves(
  targets: readonly ObserveTarget[],
  options: { rounds: number; observes: number; onRound: () => void },
): Promise<ObserveCost[]> {
  const runs = targets.map(prepare);
  const run = runs.map((target) => () => target.observe(options.observes));
  try {
    await inTurns(run, { ...options, rounds: 1 });
    const rounds = await inTurns(run, options);
    return rounds.map((costs) => mediansOf(costs));
  } finally {
    for (const target of runs) target.close();
  }
}

/** Steps that `measureObserves` tells of. */
export function observeSteps(rounds: number): number {
  return rounds + 1;
}

function prepare({ service, redis, sessionIds }: ObserveTarget) {
  const { hostname, port } = new URL(service.url);
  const requests = sessionIds.map((sessionId) => observeRequest(`${hostname}:${port}`, sessionId));
  const connections = Array.from(
    { length: Math.min(CONNECTIONS, requests.length) },
    () => new Connection(hostname, Number(port)),
  );
  // The process that was started, and its worker.
  const server = findProcessTree(service.process.pid);
  const readCpu = () => ({ server: cpuOfAll(server), redis: cpuOfAll([redis.pid]) });
  let next = 0;
  return {
    observe: async (observes: number): Promise<ObserveCost> => {
      const latencies: number[] = [];
      const before = readCpu();
      const startedAt = performance.now();
      const until = next + observes;
      await Promise.all(
        connections.map(async (connection) => {
          while (next < until) {
            const request = requests[next % requests.length]!;
            next += 1;
            const sentAt = performance.now();
            await send(connection, request);
            latencies.push(performance.now() - sentAt);
          }
        }),
      );
      const elapsedMs = performance.now() - startedAt;
      const after = readCpu();
      latencies.sort((a, b) => a - b);
      const quantile = (share: number) => latencies[Math.ceil(observes * share) - 1]!;
      return {
        serverMicroseconds: (after.server - before.server) / 1e3 / observes,
        redisMicroseconds: (after.redis - before.redis) / 1e3 / observes,
        perSecond: (observes * 1_000) / elapsedMs,
        p50Ms: quantile(0.5),
        p99Ms: quantile(0.99),
      };
    },
    close: () => {
      for (const connection of connections) connection.close();
    },
  };
}

function cpuOfAll(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuNanoseconds(pid), 0);
}

function observeRequest(host: string, sessionId: string): Buffer {
  const body = JSON.stringify({ json: { sessionId, strings: ["symbol"] } });
  const lines = [
    "POST /trpc/session.observe HTTP/1.1",
    `host: ${host}`,
    "content-type: application/json",
    `content-length: ${body.length}`,
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`);
}

function send(connection: Connection, request: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.send(request, (answered) => {
      if (answered?.status === 200) resolve();
      else reject(new Error(`answered ${answered?.status}: ${answered?.body}`));
    });
  });
}

export const COST_HEADER = [
  "server CPU µs",
  "Redis CPU µs",
  "observes/s",
  "p50 ms",
  "p99 ms",
] as const;

export function costCells(cost: ObserveCost): string[] {
  return [
    cost.serverMicroseconds.toFixed(1),
    cost.redisMicroseconds.toFixed(1),
    Math.round(cost.perSecond).toLocaleString("en"),
    cost.p50Ms.toFixed(2),
    cost.p99Ms.toFixed(2),
  ];
}

/** CPU of server and Redis per observe, with the goal for both together where there is one. */
export function costPanel(
  x: Axis,
  costs: readonly { x: number; cost: ObserveCost }[],
  mostOfSum?: number,
): Panel {
  const y: Axis = { title: "CPU per observe, µs", scale: "linear" };
  const series: [string, (cost: ObserveCost) => number][] = [
    ["server and Redis", cpuOf],
    ["server", (cost) => cost.serverMicroseconds],
    ["Redis", (cost) => cost.redisMicroseconds],
  ];
  const points: Point[] = series.flatMap(([name, read]) =>
    costs.map(({ x, cost }) => ({ series: name, x, y: read(cost) })),
  );
  const [name = ""] = series[0] ?? [];
  if (mostOfSum === undefined) return { x, y, points };
  return { x, y, points, goals: costs.map(({ x }) => ({ series: name, x, y: mostOfSum })) };
}

export function cpuOf({ serverMicroseconds, redisMicroseconds }: ObserveCost): number {
  return serverMicroseconds + redisMicroseconds;
}
