import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../../support/free-port.ts";
import { openTestStore, startService } from "../../support/service.ts";
import { spreadOf } from "../spread.ts";
import { atMost, level, type Curve } from "./curve.ts";
import { inTurns, mediansOf } from "../in-turns.ts";
import { findProcessTree, proportionalBytes } from "../../support/process-usage.ts";

const MOST_READY_MS = 400;
/** After which a service is called idle. */
const SETTLE_MS = 2_000;
const POLL_MS = 2;
const MIB = 2 ** 20;

export const startUp: Curve = {
  name: "start-up",
  title: "Start-up and idle memory by workers",
  about:
    `On an empty SQLite file. Ready is the first 200 from \`/ready\`, asked every ${POLL_MS} ms from before the process is ` +
    `started; memory is that of all processes (proportional set size) ${SETTLE_MS / 1_000} s later.`,
  steps: roundsOf,
  async measure({ quick, onStep }) {
    const workers = [1, 2, 4];
    const figures = await inTurns(
      workers.map((count) => () => start(count)),
      { rounds: roundsOf(quick), onRound: onStep },
    );
    const medians = figures.map((rounds) => mediansOf(rounds));
    const x = { title: "workers", scale: "linear" } as const;
    const most = figures.map((rounds) => spreadOf(rounds.map(({ readyMs }) => readyMs)).most);
    return {
      header: ["workers", "ready ms", "most ms", "idle MiB"],
      rows: workers.map((count, i) => [
        count,
        Math.round(medians[i]!.readyMs),
        Math.round(most[i]!),
        Math.round(medians[i]!.idleBytes / MIB),
      ]),
      panels: [
        {
          x,
          y: { title: "ready after start, ms", scale: "linear" },
          points: workers.map((count, i) => ({
            series: "ready",
            x: count,
            y: medians[i]!.readyMs,
          })),
          goals: level("ready", MOST_READY_MS, workers),
        },
        {
          x,
          y: { title: "idle memory, MiB", scale: "linear" },
          points: workers.map((count, i) => ({
            series: "memory",
            x: count,
            y: medians[i]!.idleBytes / MIB,
          })),
        },
      ],
      goals: [
        atMost(`ready with one worker ≤ ${MOST_READY_MS} ms`, {
          figure: medians[0]!.readyMs,
          most: MOST_READY_MS,
          digits: 0,
        }),
      ],
    };
  },
};

function roundsOf(quick: boolean): number {
  return quick ? 2 : 9;
}

async function start(workers: number): Promise<{ readyMs: number; idleBytes: number }> {
  await using store = await openTestStore("sqlite");
  const port = await freePort();
  const startedAt = performance.now();
  const ready = untilReady(`http://127.0.0.1:${port}/ready`);
  const env = { KATO_PORT: String(port) };
  await using service = await startService({ store: store.url, workers, env });
  const readyMs = (await ready) - startedAt;
  await delay(SETTLE_MS);
  const tree = findProcessTree(service.process.pid);
  return { readyMs, idleBytes: tree.reduce((sum, pid) => sum + proportionalBytes(pid), 0) };
}

/** Gives when it was. */
async function untilReady(url: string): Promise<number> {
  for (;;) {
    try {
      if ((await fetch(url)).status === 200) return performance.now();
    } catch {
      // Nobody listens yet.
    }
    await delay(POLL_MS);
  }
}
