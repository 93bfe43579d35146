/**
 * What the service adds to a prediction, and what others feel of it: a node of random patterns in Redis, one
 * worker, the client on the same machine. The same queries are made in this process and through the service.
 */
import { Agent, request } from "node:http";
import type { KatoClient, SessionHandle } from "@kato-rpc/client";
import { createKatoClient } from "@kato-rpc/client";
import { NodeReplica } from "../../server/engine/index/node-replica.ts";
import { predict } from "../../server/engine/index/predict.ts";
import { learnPattern } from "../../server/engine/learning.ts";
import { DEFAULT_SESSION_CONFIG } from "../../shared/session-config.ts";
import { startRedis } from "../support/redis-server.ts";
import { startService } from "../support/service.ts";
import type { Spread } from "./spread.ts";
import { formatCount, formatTable } from "./measure.ts";
import { spreadOf } from "./spread.ts";
import { drawEvents, PATTERN_SEED, PATTERN_SYMBOLS, QUERY_SYMBOLS } from "./random-patterns.ts";
import { randomFrom } from "../support/random.ts";

export type ServicePredictionRow = {
  patterns: number;
  /** Milliseconds. */
  inProcess: Spread;
  /** Until all of the reply has come. */
  service: Spread;
  /** Until the client's caller has it, parsed. */
  client: Spread;
  /** Median of what the service took more than this process, query by query. */
  added: number;
  /** Milliseconds from the first question to its answer, the node not yet in memory. */
  firstPrediction: number;
};

/** p99 of `observe` on other nodes in milliseconds, alone and beside a client that predicts without pause. */
export type BystanderRow = { patterns: number; alone: number; beside: number; observes: number };

const WARM_QUERIES = 800;
/** Queries. */
const BLOCK = 20;
const PATTERNS_PER_CALL = 1_000;
const TIMEOUT_MS = 60_000;

export async function measureServicePredictions(options: {
  sizes: readonly number[];
  queries: number;
  seconds: number;
  onSize?: (size: number) => void;
}): Promise<{ rows: ServicePredictionRow[]; bystanders: BystanderRow }> {
  await using redis = await startRedis();
  await using service = await startService({
    store: redis.url,
    env: { KATO_DEADLINE_MS: String(TIMEOUT_MS) },
  });
  const client = createKatoClient({ url: service.url, timeoutMs: TIMEOUT_MS });
  try {
    const rows: ServicePredictionRow[] = [];
    for (const size of options.sizes) {
      options.onSize?.(size);
      const { queries } = options;
      rows.push(await measureSize({ client, url: service.url }, { size, queries }));
    }
    const largest = Math.max(...options.sizes);
    const bystanders = await measureBystanders(client, nodeOf(largest), options.seconds);
    return { rows, bystanders: { patterns: largest, ...bystanders } };
  } finally {
    await client.close();
  }
}

export function printServicePredictions(rows: readonly ServicePredictionRow[]): string {
  return formatTable(
    [
      "patterns",
      "in process ms",
      "service ms",
      "least",
      "most",
      "added ms",
      "client ms",
      "first ms",
    ],
    rows.map(({ patterns, inProcess, service, client, added, firstPrediction }) => [
      formatCount(patterns),
      inProcess.median.toFixed(2),
      service.median.toFixed(2),
      service.least.toFixed(2),
      service.most.toFixed(1),
      added.toFixed(2),
      client.median.toFixed(2),
      formatCount(firstPrediction),
    ]),
  );
}

export function printBystanders({ patterns, alone, beside }: BystanderRow): string {
  return formatTable(
    ["observe on other nodes", "p99 ms"],
    [
      ["alone", alone.toFixed(1)],
      [`beside predictions on ${formatCount(patterns)} patterns`, beside.toFixed(1)],
    ],
  );
}

function nodeOf(size: number): string {
  return `patterns-${size}`;
}

async function measureSize(
  { client, url }: { client: KatoClient; url: string },
  { size, queries }: { size: number; queries: number },
): Promise<ServicePredictionRow> {
  const random = randomFrom(PATTERN_SEED);
  const nodeId = nodeOf(size);
  const node = await fillNode(client, { nodeId, size, random });
  const asked = await Promise.all(
    Array.from({ length: queries }, async () => {
      const stm = drawEvents(random, QUERY_SYMBOLS);
      const session = await client.session.create({ nodeId });
      await session.observeSequence({ observations: stm.map((strings) => ({ strings })) });
      return { stm, session };
    }),
  );
  const [first] = asked;
  const loadingAt = performance.now();
  await first?.session.predict();
  const firstPrediction = performance.now() - loadingAt;
  // Rounds before the last warm the compilers of both up, and aren't counted.
  for (let warm = 0; warm < WARM_QUERIES; warm += queries) await timeAll(node, url, asked);
  const { inProcess, throughService, throughClient } = await timeAll(node, url, asked);
  return {
    patterns: size,
    inProcess: spreadOf(inProcess),
    service: spreadOf(throughService),
    client: spreadOf(throughClient),
    added: spreadOf(throughService.map((ms, i) => ms - (inProcess[i] ?? 0))).median,
    firstPrediction,
  };
}

type Asked = { stm: string[][]; session: SessionHandle };

/**
 * Milliseconds of each query in this process, through the service and through its client, in blocks by turns: one by one,
 * this process's copy of the node and the service's would push each other out of the processor's cache.
 */
async function timeAll(
  node: NodeReplica,
  url: string,
  asked: readonly Asked[],
): Promise<Record<"inProcess" | "throughService" | "throughClient", number[]>> {
  const inProcess: number[] = [];
  const throughService: number[] = [];
  const throughClient: number[] = [];
  for (let from = 0; from < asked.length; from += BLOCK) {
    const block = asked.slice(from, from + BLOCK);
    const found: number[] = [];
    for (const { stm } of block) {
      const start = performance.now();
      found.push(predict(node, stm, DEFAULT_SESSION_CONFIG).predictions.length);
      inProcess.push(performance.now() - start);
    }
    for (const { session } of block) {
      const start = performance.now();
      await receivePrediction(url, session.sessionId);
      throughService.push(performance.now() - start);
    }
    for (const [i, { session }] of block.entries()) {
      const start = performance.now();
      const { predictions } = await session.predict();
      throughClient.push(performance.now() - start);
      if (predictions.length !== found[i]) throw new Error("they differ");
    }
  }
  return { inProcess, throughService, throughClient };
}

const agent = new Agent({ keepAlive: true });

/** Asks as any HTTP client does, and reads all of the reply. */
function receivePrediction(url: string, sessionId: string): Promise<void> {
  const input = encodeURIComponent(JSON.stringify({ json: { sessionId } }));
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/trpc/session.predict?input=${input}`, { agent }, (response) => {
      response.on("end", () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`answered ${response.statusCode}`));
      });
      response.resume();
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** The same patterns in the service and in this process. */
async function fillNode(
  client: KatoClient,
  { nodeId, size, random }: { nodeId: string; size: number; random: () => number },
): Promise<NodeReplica> {
  const node = new NodeReplica();
  const config = { maxPatternLength: PATTERN_SYMBOLS };
  const session = await client.session.create({ nodeId, config });
  while (node.totals().patterns < size) {
    const patterns = Array.from(
      { length: Math.min(PATTERNS_PER_CALL, size - node.totals().patterns) },
      () => drawEvents(random, PATTERN_SYMBOLS),
    );
    const observations = patterns.flat().map((strings) => ({ strings }));
    await session.observeSequence({ observations });
    for (const events of patterns) {
      const rest = { emotives: [], metadata: [], persistence: 5, vectors: [] };
      const { learned } = learnPattern({ events, ...rest });
      if (learned !== null) node.apply(learned);
    }
  }
  return node;
}

const BYSTANDERS = 4;

async function measureBystanders(
  client: KatoClient,
  busyNode: string,
  seconds: number,
): Promise<Omit<BystanderRow, "patterns">> {
  const bystanders = await Promise.all(
    Array.from({ length: BYSTANDERS }, (_, i) => client.session.create({ nodeId: `other-${i}` })),
  );
  const random = randomFrom(PATTERN_SEED + 1);
  const busy = await client.session.create({ nodeId: busyNode });
  const observations = drawEvents(random, QUERY_SYMBOLS).map((strings) => ({ strings }));
  await busy.observeSequence({ observations });
  await observeFor(bystanders, 0.5);
  const alone = await observeFor(bystanders, seconds);
  const over = new AbortController();
  const predicting = (async () => {
    while (!over.signal.aborted) await busy.predict();
  })();
  const beside = await observeFor(bystanders, seconds);
  over.abort();
  await predicting;
  return { alone: p99(alone), beside: p99(beside), observes: beside.length };
}

/** Latencies of observes in milliseconds, each session one after another. */
async function observeFor(sessions: readonly SessionHandle[], seconds: number): Promise<number[]> {
  const until = performance.now() + seconds * 1_000;
  const latencies: number[] = [];
  await Promise.all(
    sessions.map(async (session) => {
      while (performance.now() < until) {
        const start = performance.now();
        await session.observe({ strings: ["symbol"] });
        latencies.push(performance.now() - start);
      }
    }),
  );
  return latencies;
}

function p99(latencies: readonly number[]): number {
  const sorted = latencies.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN;
}

if (import.meta.main) {
  const sizes = process.argv.slice(2).map(Number);
  const { rows, bystanders } = await measureServicePredictions({
    sizes: sizes.length > 0 ? sizes : [1_000, 10_000, 100_000],
    queries: 200,
    seconds: 5,
    onSize: (size) => process.stderr.write(`patterns: ${size}\n`),
  });
  process.stdout.write(`${printServicePredictions(rows)}\n\n${printBystanders(bystanders)}\n`);
}
