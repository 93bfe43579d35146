/**
 * How long an observe takes while a server does half of what it can: its capacity in a closed loop, then half of that
 * offered in an open one, where latencies count from when a call was due. Bare servers beside the service, each at half
 * of its own capacity, show what of it is the machine's and the generator's share.
 */
import type { LoadReport } from "../support/open-loop/load.ts";
import type { StoreKind } from "../support/service.ts";
import { STORE_KINDS } from "../support/service.ts";
import { inTurns } from "./in-turns.ts";
import { loadOpen, measureCapacity, openServers } from "./loaded-servers.ts";
import { formatCount, formatTable } from "./measure.ts";
import type { Spread } from "./spread.ts";
import { spreadOf } from "./spread.ts";

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

async function measureStore(
  kind: StoreKind,
  { rounds, seconds, onStep }: Options,
): Promise<HalfLoadRow[]> {
  await using stack = new AsyncDisposableStack();
  const servers = await openServers(kind, stack);
  const turns = servers.map((server) => async () => {
    const capacity = await measureCapacity(server, seconds);
    const report = await loadOpen(server, { ratePerSecond: capacity * SHARE, seconds });
    return { capacity, report };
  });
  const measuredByServer = await inTurns(turns, { rounds, onRound: onStep });
  return measuredByServer.map((measured, i) => ({
    server: servers[i]!.server,
    isService: servers[i]!.isService,
    capacity: spreadOf(measured.map(({ capacity }) => capacity)),
    hadPrecedence: measured.every(({ report }) => report.hadPrecedence),
    ...spreadsOf(measured.map(({ report }) => report)),
  }));
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
