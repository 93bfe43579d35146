/**
 * How long an observe takes while a server does half of what it can: its capacity in a closed loop, then half of that
 * offered in an open one, where latencies count from when a call was due. Bare servers beside the service, each at half
 * of its own capacity, show what of it is the machine's and the generator's share.
 */
import type { GeneratorOptions, LoadReport } from "../support/open-loop/load.ts";
import { load } from "../support/open-loop/load.ts";
import { servedPerSecond } from "../support/open-loop/overload.ts";
import type { StoreKind } from "../support/service.ts";
import { STORE_KINDS, startService } from "../support/service.ts";
import { inTurns } from "./in-turns.ts";
import { formatCount, formatTable } from "./measure.ts";
import type { Spread } from "./spread.ts";
import { spreadOf } from "./spread.ts";
import { openBenchStore } from "./throughput/bench-store.ts";
import { BARE_FASTIFY, BARE_NODE, serviceName } from "./throughput/measure-throughput.ts";
import { openPlainTarget, startPeer } from "./throughput/peer-target.ts";
import type { Target } from "./throughput/sample.ts";
import { WARM_UP_SECONDS } from "./throughput/sample.ts";
import { createSessions, openServiceTarget, WAYS } from "./throughput/service-target.ts";

export type HalfLoadRow = {
  server: string;
  isService: boolean;
  /** Calls a second. */
  capacity: Spread;
  offered: Spread;
  /** Processor time of the server in µs per call. */
  serverCpu: Spread;
  /** In ms. */
  p50: Spread;
  p99: Spread;
  p999: Spread;
  /** By how much the generator was late itself, p99 in ms. */
  lag: Spread;
  /** Whether the generator had precedence over what it measured. */
  hadPrecedence: boolean;
};

const SHARE = 0.5;
const MOST_CONNECTIONS = 1_000;
/** Few are called by two connections at once: a session's calls wait for each other. */
const SESSIONS = 1_000;
const FIRST_WARM_UP_SECONDS = 5;
/** Each open loop has a generator of its own, whose V8 compiles for seconds beside the server: its calls would be late by that. */
const OPEN_WARM_UP_SECONDS = 7;

export function halfLoadSteps(rounds: number): number {
  return STORE_KINDS.length * rounds;
}

type Options = { rounds: number; seconds: number; onStep(): void };

export async function measureHalfLoad(options: Options): Promise<HalfLoadRow[]> {
  const rows: HalfLoadRow[] = [];
  for (const store of ["redis", "sqlite"] as const)
    rows.push(...(await measureStore(store, options)));
  return rows;
}

/** The service on a store; beside it, on Redis, the bare servers. */
async function measureStore(
  kind: StoreKind,
  { rounds, seconds, onStep }: Options,
): Promise<HalfLoadRow[]> {
  await using stack = new AsyncDisposableStack();
  const service = await openService(kind, stack);
  const peers = kind === "redis" ? await openPeers(stack) : [];
  const targets = [{ server: serviceName(kind, 1), target: service }, ...peers];
  for (const { target } of targets) await load({ ...target, seconds: FIRST_WARM_UP_SECONDS });
  const turns = targets.map(({ server, target }) => async () => {
    const capacity = servedPerSecond(
      await load({ ...target, seconds, warmUpSeconds: WARM_UP_SECONDS }),
    );
    const open = {
      ratePerSecond: capacity * SHARE,
      connections: MOST_CONNECTIONS,
      seconds,
      warmUpSeconds: OPEN_WARM_UP_SECONDS,
      hasPrecedence: true,
    };
    return { capacity, report: await loadOpen(server, { ...target, ...open }) };
  });
  const measuredByTarget = await inTurns(turns, { rounds, onRound: onStep });
  return measuredByTarget.map((measured, i) => {
    const { server, target } = targets[i]!;
    return {
      server,
      isService: target === service,
      capacity: spreadOf(measured.map(({ capacity }) => capacity)),
      hadPrecedence: measured.every(({ report }) => report.hadPrecedence),
      ...spreadsOf(measured.map(({ report }) => report)),
    };
  });
}

async function openService(kind: StoreKind, stack: AsyncDisposableStack): Promise<Target> {
  const store = stack.use(await openBenchStore(kind));
  const service = stack.use(await startService({ store: store.url }));
  return {
    ...(await openServiceTarget(service, { way: WAYS.unbatched, redis: store.redisPid })),
    sessionIds: await createSessions(service.url, SESSIONS),
  };
}

async function openPeers(
  stack: AsyncDisposableStack,
): Promise<{ server: string; target: Target }[]> {
  const bareNode = stack.use(await startPeer("bare-node", ""));
  const store = stack.use(await openBenchStore("redis"));
  const bareFastify = stack.use(await startPeer("bare-fastify", store.url));
  return [
    {
      server: BARE_NODE,
      target: await openPlainTarget(bareNode, undefined, { sessions: SESSIONS }),
    },
    {
      server: BARE_FASTIFY,
      target: await openPlainTarget(bareFastify, store.redisPid, { sessions: SESSIONS }),
    },
  ];
}

/**
 * Once more where some calls were not answered, since there is no telling how long these take: the machine may have stood
 * still for a moment.
 *
 * @throws Error when that happens twice
 */
async function loadOpen(server: string, target: GeneratorOptions): Promise<LoadReport> {
  let told = "";
  for (let attempt = 0; attempt < 2; attempt++) {
    const report = await load(target);
    const { made, unsent, failures, latencies } = report;
    if (unsent === 0 && latencies.ok.count >= made) return report;
    told = JSON.stringify({ made, unsent, failures });
  }
  throw new Error(`${server} did not answer all: ${told}`);
}

function spreadsOf(reports: readonly LoadReport[]) {
  const spread = (figure: (report: LoadReport) => number | null | undefined) =>
    spreadOf(reports.map((report) => figure(report) ?? Number.NaN));
  return {
    offered: spread(({ made, seconds }) => made / seconds),
    serverCpu: spread(({ cpuMs, made }) => ((cpuMs["server"] ?? Number.NaN) * 1_000) / made),
    p50: spread(({ latencies }) => latencies.ok.p50),
    p99: spread(({ latencies }) => latencies.ok.p99),
    p999: spread(({ latencies }) => latencies.ok.p999),
    lag: spread(({ lag }) => lag.p99),
  };
}

export function printHalfLoad(rows: readonly HalfLoadRow[]): string {
  const ms = ({ median, least, most }: Spread) =>
    `${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
  const table = formatTable(
    [
      "server",
      "capacity/s",
      "offered/s",
      "server µs",
      "p50 ms",
      "p99 ms",
      "p99.9 ms",
      "generator late, p99 ms",
    ],
    rows.map(({ server, capacity, offered, serverCpu, p50, p99, p999, lag }) => [
      server,
      formatCount(capacity.median),
      formatCount(offered.median),
      serverCpu.median.toFixed(1),
      ...[p50, p99, p999, lag].map(ms),
    ]),
  );
  if (rows.every(({ hadPrecedence }) => hadPrecedence)) return table;
  return `${table}\nthe generator had no precedence over what it measured: chrt(1) was not permitted`;
}
