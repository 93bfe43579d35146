import type { StoreKind } from "../../support/service.ts";
import { inTurns, mediansOf } from "../in-turns.ts";
import type { LoadedServer } from "../loaded-servers.ts";
import { loadOpen, measureCapacity, openServers } from "../loaded-servers.ts";
import { formatCount } from "../measure.ts";
import { serviceName } from "../throughput/measure-throughput.ts";
import type { Curve } from "./curve.ts";
import { level } from "./curve.ts";

/** Of what a server serves in a closed loop. Of three quarters SQLite did not keep up with all: a call alone costs more. */
const SHARES = [0.05, 0.1, 0.25, 0.5];
const SECONDS = 6;
const MOST_P99_MS = 3;
const STORES: readonly StoreKind[] = ["redis", "sqlite"];

type Figures = { perSecond: number; cpu: number; p50: number; p99: number };

export const latencyByLoad: Curve = {
  name: "latency-by-load",
  title: "Latency by load",
  about:
    `Open loop, unbatched, one worker, as in [latency at half capacity](../RESULTS.md#latency-at-half-capacity): each ` +
    `server is offered shares of what it has just served in a closed loop. Where it has little to do, a call costs most: it wakes ` +
    `processes, and runs code that is in no cache.`,
  steps: (quick) => STORES.length * roundsOf(quick),
  async measure({ quick, onStep }) {
    const rows: { server: string; share: number; figures: Figures }[] = [];
    for (const kind of STORES) {
      await using stack = new AsyncDisposableStack();
      const servers = await openServers(kind, stack);
      const measured = await inTurns(
        servers.map((server) => () => measureShares(server, sharesOf(quick))),
        { rounds: roundsOf(quick), onRound: onStep },
      );
      for (const [i, { server }] of servers.entries()) {
        for (const [j, share] of sharesOf(quick).entries()) {
          const figures = measured[i]!.map((round) => round[j]!);
          rows.push({ server, share, figures: mediansOf(figures) });
        }
      }
    }
    const x = { title: "share of capacity, %", scale: "linear" } as const;
    const points = (figure: (figures: Figures) => number) =>
      rows.map(({ server, share, figures }) => ({
        series: server,
        x: share * 100,
        y: figure(figures),
      }));
    return {
      header: ["server", "share", "calls/s", "server CPU µs", "p50 ms", "p99 ms"],
      rows: rows.map(({ server, share, figures }) => [
        server,
        `${share * 100} %`,
        formatCount(figures.perSecond),
        figures.cpu.toFixed(1),
        figures.p50.toFixed(2),
        figures.p99.toFixed(2),
      ]),
      panels: [
        {
          x,
          y: { title: "p99, ms", scale: "log" },
          points: points(({ p99 }) => p99),
          goals: level(
            serviceName("redis", 1),
            MOST_P99_MS,
            SHARES.map((share) => share * 100),
          ),
        },
        {
          x,
          y: { title: "server CPU per call, µs", scale: "linear" },
          points: points(({ cpu }) => cpu),
        },
      ],
      goals: [],
    };
  },
};

async function measureShares(server: LoadedServer, shares: readonly number[]): Promise<Figures[]> {
  const capacity = await measureCapacity(server, SECONDS);
  const figures: Figures[] = [];
  for (const share of shares) {
    const ratePerSecond = capacity * share;
    const { made, seconds, cpuMs, latencies } = await loadOpen(server, {
      ratePerSecond,
      seconds: SECONDS,
    });
    figures.push({
      perSecond: made / seconds,
      cpu: ((cpuMs["server"] ?? Number.NaN) * 1_000) / made,
      p50: latencies.ok.p50 ?? Number.NaN,
      p99: latencies.ok.p99 ?? Number.NaN,
    });
  }
  return figures;
}

function sharesOf(quick: boolean): readonly number[] {
  return quick ? [0.05, 0.5] : SHARES;
}

function roundsOf(quick: boolean): number {
  return quick ? 1 : 3;
}
