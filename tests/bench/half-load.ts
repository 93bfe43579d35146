/**
 * How long an observe takes while the service does half of what it can: its capacity in a closed loop, then half of that
 * offered in an open one, where latencies count from when a call was due.
 */
import type { LoadReport } from "../support/open-loop/load.ts";
import { load } from "../support/open-loop/load.ts";
import { servedPerSecond } from "../support/open-loop/overload.ts";
import type { StoreKind } from "../support/service.ts";
import { STORE_KINDS, startService } from "../support/service.ts";
import { formatCount, formatTable } from "./measure.ts";
import type { Spread } from "./spread.ts";
import { spreadOf } from "./spread.ts";
import { openBenchStore } from "./throughput/bench-store.ts";
import { serviceName } from "./throughput/measure-throughput.ts";
import { createSessions, openServiceTarget, WAYS } from "./throughput/service-target.ts";

export type HalfLoadRow = {
  store: StoreKind;
  server: string;
  capacity: Spread;
  /** Calls a second. */
  offered: Spread;
  /** In ms. */
  p50: Spread;
  p99: Spread;
  p999: Spread;
  /** By how much the generator was late itself, p99 in ms. */
  lag: Spread;
};

const SHARE = 0.5;
const MOST_CONNECTIONS = 1_000;
const SESSIONS = 1_000;
const WARM_UP_SECONDS = 2;

export function halfLoadSteps(rounds: number): number {
  return STORE_KINDS.length * rounds;
}

export async function measureHalfLoad(options: {
  rounds: number;
  seconds: number;
  onStep(): void;
}): Promise<HalfLoadRow[]> {
  const rows: HalfLoadRow[] = [];
  for (const store of ["redis", "sqlite"] as const) rows.push(await measureStore(store, options));
  return rows;
}

async function measureStore(
  kind: StoreKind,
  { rounds, seconds, onStep }: { rounds: number; seconds: number; onStep(): void },
): Promise<HalfLoadRow> {
  await using store = await openBenchStore(kind);
  await using service = await startService({ store: store.url });
  const target = {
    ...(await openServiceTarget(service, { way: WAYS.unbatched, redis: store.redisPid })),
    // Few are called by two connections at once: a session's calls wait for each other.
    sessionIds: await createSessions(service.url, SESSIONS),
  };
  await load({ ...target, seconds: WARM_UP_SECONDS });
  const capacities: number[] = [];
  const reports: LoadReport[] = [];
  for (let round = 0; round < rounds; round++) {
    const capacity = servedPerSecond(await load({ ...target, seconds }));
    capacities.push(capacity);
    const ratePerSecond = capacity * SHARE;
    const open = { ratePerSecond, connections: MOST_CONNECTIONS };
    const report = await load({ ...target, ...open, seconds });
    if (report.unsent > 0 || report.latencies.ok.count < report.made) {
      const { made, unsent, failures } = report;
      throw new Error(`not all calls were answered: ${JSON.stringify({ made, unsent, failures })}`);
    }
    reports.push(report);
    onStep();
  }
  const spread = (figure: (report: LoadReport) => number | null) =>
    spreadOf(reports.map((report) => figure(report) ?? Number.NaN));
  return {
    store: kind,
    server: serviceName(kind, 1),
    capacity: spreadOf(capacities),
    offered: spread(({ made, seconds: took }) => made / took),
    p50: spread(({ latencies }) => latencies.ok.p50),
    p99: spread(({ latencies }) => latencies.ok.p99),
    p999: spread(({ latencies }) => latencies.ok.p999),
    lag: spread(({ lag }) => lag.p99),
  };
}

export function printHalfLoad(rows: readonly HalfLoadRow[]): string {
  const ms = ({ median, least, most }: Spread) =>
    `${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
  return formatTable(
    ["server", "capacity/s", "offered/s", "p50 ms", "p99 ms", "p99.9 ms", "generator late, p99 ms"],
    rows.map(({ server, capacity, offered, p50, p99, p999, lag }) => [
      server,
      formatCount(capacity.median),
      formatCount(offered.median),
      ...[p50, p99, p999, lag].map(ms),
    ]),
  );
}
