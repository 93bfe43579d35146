/**
 * Learns per second through the service on Redis, each of a new pattern of ten symbols, the load generator on the
 * same machine: in batches of 50 calls that each observe and learn one, and in calls that learn 1,000.
 */
import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import { mutate } from "../support/clients/fetch-client.ts";
import { startRedis } from "../support/redis-server.ts";
import { startService } from "../support/service.ts";
import { formatCount, formatTable, interleave } from "./measure.ts";
import { spreadOf } from "./spread.ts";
import { drawEvents, PATTERN_SEED, PATTERN_SYMBOLS } from "./random-patterns.ts";
import { randomFrom } from "../support/random.ts";

const BATCH = 50;
const LANES = 8;
const PATTERNS_PER_CALL = 1_000;

export type LearnRow = { target: string; perSecond: number; least: number; most: number };

export async function measureLearns(options: {
  rounds: number;
  seconds: number;
  onRound?: () => void;
}): Promise<LearnRow[]> {
  await using redis = await startRedis();
  await using service = await startService({
    store: redis.url,
    env: { KATO_DEADLINE_MS: "30000", KATO_LIMIT_CONCURRENCY: "1000" },
  });
  const { url } = service;
  const config = { maxPatternLength: PATTERN_SYMBOLS };
  const sessions = await Promise.all(
    Array.from({ length: LANES * BATCH }, (_, i) => create(url, { nodeId: `learn-${i % 20}` })),
  );
  const rolling = await Promise.all(
    [0, 1].map((i) => create(url, { nodeId: `many-${i}`, config })),
  );
  const random = randomFrom(PATTERN_SEED);
  const learnOne = (sessionId: string | undefined) => ({
    sessionId,
    observations: observations(random, 1),
    learnAtEnd: true,
  });
  const figures = await interleave(
    {
      batches: () =>
        learnFor(options.seconds, LANES, async (lane) => {
          const inputs = sessions.slice(lane * BATCH, (lane + 1) * BATCH).map(learnOne);
          await send(url, batchPath(inputs.length), batchBody(inputs));
          return BATCH;
        }),
      sequences: () =>
        learnFor(options.seconds, rolling.length, async (lane) => {
          const input = {
            sessionId: rolling[lane],
            observations: observations(random, PATTERNS_PER_CALL),
          };
          await send(url, "session.observeSequence", JSON.stringify({ json: input }));
          return PATTERNS_PER_CALL;
        }),
    },
    options,
  );
  const targets: Record<keyof typeof figures, string> = {
    batches: `batches of ${BATCH} calls, each ${PATTERN_SYMBOLS} events and a learn`,
    sequences: `calls of ${formatCount(PATTERNS_PER_CALL * PATTERN_SYMBOLS)} events, a learn after every ${PATTERN_SYMBOLS}`,
  };
  return (Object.keys(figures) as (keyof typeof figures)[]).map((name) => {
    const { median, least, most } = spreadOf(figures[name]);
    return { target: targets[name], perSecond: median, least, most };
  });
}

export function printLearns(rows: readonly LearnRow[]): string {
  return formatTable(
    ["target", "learns/s", "least", "most"],
    rows.map(({ target, perSecond, least, most }) => [
      target,
      formatCount(perSecond),
      formatCount(least),
      formatCount(most),
    ]),
  );
}

/** Learns per second of `lanes` that go on one call after another; `learn` tells how many it made. */
async function learnFor(
  seconds: number,
  lanes: number,
  learn: (lane: number) => Promise<number>,
): Promise<number> {
  const start = performance.now();
  let learned = 0;
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      while (performance.now() < start + seconds * 1_000) {
        const count = await learn(lane);
        learned += count;
      }
    }),
  );
  return (learned * 1_000) / (performance.now() - start);
}

function observations(random: () => number, patterns: number): { strings: string[] }[] {
  return drawEvents(random, patterns * PATTERN_SYMBOLS).map((strings) => ({ strings }));
}

function batchPath(calls: number): string {
  return `${Array.from({ length: calls }, () => "session.observeSequence").join(",")}?batch=1`;
}

function batchBody(inputs: readonly object[]): string {
  return JSON.stringify(Object.fromEntries(inputs.map((json, i) => [i, { json }])));
}

const agent = new Agent({ keepAlive: true });

/** Posts, and throws unless all of it was done. */
function send(url: string, path: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    };
    const sent = request(`${url}/trpc/${path}`, { method: "POST", agent, headers }, (response) => {
      text(response).then((answer) => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`answered ${response.statusCode}: ${answer.slice(0, 500)}`));
      }, reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

async function create(url: string, input: object): Promise<string> {
  return (await mutate<{ sessionId: string }>(url, "session.create", input)).sessionId;
}

if (import.meta.main) {
  const rows = await measureLearns({ rounds: 5, seconds: 2 });
  process.stdout.write(`${printLearns(rows)}\n`);
}
