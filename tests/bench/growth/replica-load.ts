import { mutate, query } from "../../support/clients/fetch-client.ts";
import { readExposition } from "../../support/exposition.ts";
import { startService } from "../../support/service.ts";
import { randomFrom } from "../../support/random.ts";
import { formatCount } from "../measure.ts";
import { spreadOf } from "../spread.ts";
import { drawEvents, PATTERN_SEED, QUERY_SYMBOLS } from "../random-patterns.ts";
import type { Curve } from "./curve.ts";
import { nodesOf, patternSizesOf, WARM_UP_NODE, type LearnedStore } from "./learned-nodes.ts";
import { findProcessTree, proportionalBytes } from "../../support/process-usage.ts";

const MIB = 2 ** 20;

type Load = { kind: string; size: number; ms: number; replicaBytes: number; grownBytes: number };

export const replicaLoad: Curve = {
  name: "replica-load",
  title: "Replica load time and memory by patterns",
  about:
    `What the first prediction on a node takes longer than the second, in a server that has loaded another node before, ` +
    `and what the node's replica then takes (\`kato_replica_bytes\`); processes grow by more, for what loading leaves behind.`,
  steps: (quick) => nodesOf(quick) + 2 * roundsOf(quick),
  async measure({ quick, onStep, learned }) {
    const stores = await learned.stores(patternSizesOf(quick), onStep);
    const loads: Load[] = [];
    for (let round = 0; round < roundsOf(quick); round += 1) {
      for (const store of stores) {
        loads.push(...(await loadAll(store)));
        onStep();
      }
    }
    const rows = stores.flatMap(({ kind, nodes }) =>
      nodes
        .filter(({ nodeId }) => nodeId !== WARM_UP_NODE)
        .map(({ size }) => {
          const own = loads.filter((load) => load.kind === kind && load.size === size);
          const median = (name: "ms" | "replicaBytes" | "grownBytes") =>
            spreadOf(own.map((load) => load[name])).median;
          const bytesPerPattern = median("replicaBytes") / size;
          return { kind, size, ms: median("ms"), bytesPerPattern, grown: median("grownBytes") };
        }),
    );
    const x = { title: "patterns of the node", scale: "log" } as const;
    return {
      header: [
        "store",
        "patterns",
        "load ms",
        "patterns/s",
        "bytes/pattern",
        "processes grow by, MiB",
      ],
      rows: rows.map(({ kind, size, ms, bytesPerPattern, grown }) => [
        kind,
        formatCount(size),
        formatCount(ms),
        formatCount((size * 1_000) / ms),
        Math.round(bytesPerPattern),
        (grown / MIB).toFixed(1),
      ]),
      panels: [
        {
          x,
          y: { title: "load of the replica, ms", scale: "log" },
          points: rows.map(({ kind, size, ms }) => ({ series: kind, x: size, y: ms })),
        },
        {
          x,
          y: { title: "bytes of the replica per pattern", scale: "linear" },
          points: rows.map(({ kind, size, bytesPerPattern }) => ({
            series: kind,
            x: size,
            y: bytesPerPattern,
          })),
        },
      ],
      goals: [],
    };
  },
};

/** All nodes of a store, one after another, in a new server. */
async function loadAll({ kind, url, nodes }: LearnedStore): Promise<Load[]> {
  await using service = await startService({
    store: url,
    env: { KATO_DEADLINE_MS: "600000", KATO_REPLICA_MEMORY_MB: "2048" },
  });
  const loads: Load[] = [];
  const pids = findProcessTree(service.process.pid);
  const memory = () => pids.reduce((sum, pid) => sum + proportionalBytes(pid), 0);
  let replicaBytes = 0;
  for (const { nodeId, size } of nodes) {
    const before = { memory: memory(), replicaBytes };
    const predict = await preparePrediction(service.url, nodeId);
    const first = await timed(predict);
    const second = await timed(predict);
    replicaBytes = await readReplicaBytes(service.url);
    if (nodeId === WARM_UP_NODE) continue;
    loads.push({
      kind,
      size,
      ms: first - second,
      replicaBytes: replicaBytes - before.replicaBytes,
      grownBytes: memory() - before.memory,
    });
  }
  return loads;
}

async function preparePrediction(url: string, nodeId: string): Promise<() => Promise<unknown>> {
  const { sessionId } = await mutate<{ sessionId: string }>(url, "session.create", { nodeId });
  const events = drawEvents(randomFrom(PATTERN_SEED + 2), QUERY_SYMBOLS);
  const observations = events.map((strings) => ({ strings }));
  await mutate(url, "session.observeSequence", { sessionId, observations });
  return () => query(url, "session.predict", { sessionId });
}

async function timed(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await call();
  return performance.now() - start;
}

async function readReplicaBytes(url: string): Promise<number> {
  const response = await fetch(`${url}/metrics`);
  const bytes = readExposition(await response.text()).get("kato_replica_bytes");
  if (bytes === undefined) throw new Error("the metrics do not tell the replicas' memory");
  return bytes;
}

function roundsOf(quick: boolean): number {
  return quick ? 1 : 3;
}
