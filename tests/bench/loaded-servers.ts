/** The service and bare servers, each on a store of its own, to be loaded in an open loop; and how that is done. */
import type { GeneratorOptions, LoadReport } from "../support/open-loop/load.ts";
import { load } from "../support/open-loop/load.ts";
import { servedPerSecond } from "../support/open-loop/overload.ts";
import type { StoreKind } from "../support/service.ts";
import { startService } from "../support/service.ts";
import { openBenchStore } from "./throughput/bench-store.ts";
import { BARE_FASTIFY, BARE_NODE, serviceName } from "./throughput/measure-throughput.ts";
import { openPlainTarget, startPeer } from "./throughput/peer-target.ts";
import type { Target } from "./throughput/sample.ts";
import { WARM_UP_SECONDS } from "./throughput/sample.ts";
import { createSessions, openServiceTarget, WAYS } from "./throughput/service-target.ts";

export type LoadedServer = { server: string; isService: boolean; target: Target };

const MOST_CONNECTIONS = 1_000;
/** Few are called by two connections at once: a session's calls wait for each other. */
const SESSIONS = 1_000;
const FIRST_WARM_UP_SECONDS = 5;
/** Each open loop has a generator of its own, whose V8 compiles for seconds beside the server: its calls would be late by that. */
const OPEN_WARM_UP_SECONDS = 7;

/** The service on a store; beside it, on Redis, the bare servers. All have been called for some seconds. */
export async function openServers(
  kind: StoreKind,
  stack: AsyncDisposableStack,
): Promise<LoadedServer[]> {
  const servers = [await openService(kind, stack)];
  if (kind === "redis") servers.push(...(await openPeers(stack)));
  for (const { target } of servers) await load({ ...target, seconds: FIRST_WARM_UP_SECONDS });
  return servers;
}

/** Calls a second that a server answers in a closed loop. */
export async function measureCapacity({ target }: LoadedServer, seconds: number): Promise<number> {
  return servedPerSecond(await load({ ...target, seconds, warmUpSeconds: WARM_UP_SECONDS }));
}

/**
 * Offers so many calls a second. Once more where some were not answered, since there is no telling how long these take:
 * the machine may have stood still for a moment.
 *
 * @throws Error when that happens twice
 */
export async function loadOpen(
  { server, target }: LoadedServer,
  { ratePerSecond, seconds }: { ratePerSecond: number; seconds: number },
): Promise<LoadReport> {
  const options: GeneratorOptions = {
    ...target,
    ratePerSecond,
    connections: MOST_CONNECTIONS,
    seconds,
    warmUpSeconds: OPEN_WARM_UP_SECONDS,
    hasPrecedence: true,
  };
  let told = "";
  for (let attempt = 0; attempt < 2; attempt++) {
    const report = await load(options);
    const { made, unsent, failures, latencies } = report;
    if (unsent === 0 && latencies.ok.count >= made) return report;
    told = JSON.stringify({ made, unsent, failures });
  }
  throw new Error(`${server} did not answer all: ${told}`);
}

async function openService(kind: StoreKind, stack: AsyncDisposableStack): Promise<LoadedServer> {
  const store = stack.use(await openBenchStore(kind));
  const service = stack.use(await startService({ store: store.url }));
  const target = {
    ...(await openServiceTarget(service, { way: WAYS.unbatched, redis: store.redisPid })),
    sessionIds: await createSessions(service.url, SESSIONS),
  };
  return { server: serviceName(kind, 1), isService: true, target };
}

async function openPeers(stack: AsyncDisposableStack): Promise<LoadedServer[]> {
  const bareNode = stack.use(await startPeer("bare-node", ""));
  const store = stack.use(await openBenchStore("redis"));
  const bareFastify = stack.use(await startPeer("bare-fastify", store.url));
  const sessions = { sessions: SESSIONS };
  return [
    {
      server: BARE_NODE,
      isService: false,
      target: await openPlainTarget(bareNode, undefined, sessions),
    },
    {
      server: BARE_FASTIFY,
      isService: false,
      target: await openPlainTarget(bareFastify, store.redisPid, sessions),
    },
  ];
}
