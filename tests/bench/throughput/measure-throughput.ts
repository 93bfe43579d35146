import type { Service, StoreKind } from "../../support/service.ts";
import { startService } from "../../support/service.ts";
import { inTurns } from "../in-turns.ts";
import { openBenchStore } from "./bench-store.ts";
import { openPlainTarget, startPeer } from "./peer-target.ts";
import type { Figures, Target } from "./sample.ts";
import { figuresOf, takeSample } from "./sample.ts";
import type { WayName } from "./service-target.ts";
import { openServiceTarget, WAYS } from "./service-target.ts";

/** Who answers: one of the peers (see peers/), or the service with so many workers on a store. */
export const BARE_NODE = "(a) bare node:http";
export const BARE_FASTIFY = "(b) bare Fastify + script";
export const STOCK_ADAPTER = "(c) stock tRPC adapter";

export type ThroughputRow = { server: string; way: WayName; figures: Figures };

const SERVICE_WAYS: Record<StoreKind, Record<1 | 2, readonly WayName[]>> = {
  redis: {
    1: [
      "unbatched",
      "batches of 10",
      "batches of 50",
      "batches of 10, one session",
      "batches of 50, one session",
      "sequences of 50",
    ],
    2: ["unbatched", "batches of 10", "batches of 50", "sequences of 50"],
  },
  sqlite: {
    1: ["unbatched", "batches of 10", "batches of 50", "sequences of 50"],
    2: ["unbatched", "batches of 10", "batches of 50", "sequences of 50"],
  },
};

const STOCK_WAYS: readonly WayName[] = [
  "unbatched",
  "batches of 10",
  "batches of 50",
  "sequences of 50",
];
const WARM_UP_SECONDS = 1;

export function serviceName(store: StoreKind, workers: number): string {
  const name = { redis: "Redis", sqlite: "SQLite" }[store];
  return `${name}, ${workers} ${workers === 1 ? "worker" : "workers"}`;
}

/** Steps that `onStep` will be called for. */
export function throughputSteps(rounds: number): number {
  return rounds + 1;
}

/**
 * All servers up at once, each on a store of its own; one target after the other in every round, each round beginning
 * with another one. The first step warms them up.
 */
export async function measureThroughput(options: {
  rounds: number;
  seconds: number;
  onStep(): void;
}): Promise<ThroughputRow[]> {
  await using stack = new AsyncDisposableStack();
  const targets: OpenTarget[] = [];
  for await (const opened of openTargets(stack)) {
    targets.push(opened);
    await takeSample(opened.target, WARM_UP_SECONDS);
  }
  options.onStep();
  const samples = await inTurns(
    targets.map(
      ({ target }) =>
        () =>
          takeSample(target, options.seconds),
    ),
    { rounds: options.rounds, onRound: options.onStep },
  );
  return targets.map(({ server, way }, i) => ({
    server,
    way,
    figures: figuresOf(samples[i] ?? []),
  }));
}

type OpenTarget = { server: string; way: WayName; target: Target };

async function* openTargets(stack: AsyncDisposableStack): AsyncGenerator<OpenTarget> {
  const bareNode = stack.use(await startPeer("bare-node", ""));
  yield {
    server: BARE_NODE,
    way: "unbatched",
    target: await openPlainTarget(bareNode, undefined),
  };
  const bareStore = stack.use(await openBenchStore("redis"));
  const bareFastify = stack.use(await startPeer("bare-fastify", bareStore.url));
  yield {
    server: BARE_FASTIFY,
    way: "unbatched",
    target: await openPlainTarget(bareFastify, bareStore.redisPid),
  };
  const stockStore = stack.use(await openBenchStore("redis"));
  const stock = stack.use(await startPeer("stock-adapter", stockStore.url));
  yield* waysOf(stock, { server: STOCK_ADAPTER, ways: STOCK_WAYS, redis: stockStore.redisPid });
  for (const kind of ["redis", "sqlite"] as const) {
    for (const workers of [1, 2] as const) {
      const store = stack.use(await openBenchStore(kind));
      const service = stack.use(await startService({ store: store.url, workers }));
      const server = serviceName(kind, workers);
      const ways = SERVICE_WAYS[kind][workers];
      yield* waysOf(service, { server, ways, redis: store.redisPid });
    }
  }
}

async function* waysOf(
  service: Pick<Service, "url" | "process">,
  { server, ways, redis }: { server: string; ways: readonly WayName[]; redis: number | undefined },
): AsyncGenerator<OpenTarget> {
  for (const way of ways) {
    yield { server, way, target: await openServiceTarget(service, { way: WAYS[way], redis }) };
  }
}
