/**
 * What one commit costs on sessions that hold 10 and 1,000 events.
 * Fresh sessions in every round; the two lengths interleaved, medians over the rounds.
 */
import { createSessionId } from "../../server/stores/session-id.ts";
import type { SessionStore } from "../../server/stores/session-store.ts";
import { openStore, retentionOf } from "../../server/stores/open-store.ts";
import { parseStoreAddress } from "../../server/stores/store-address.ts";
import type { StoreKind } from "../support/service.ts";
import { openTestStore } from "../support/service.ts";
import { formatRatio, formatTable, interleave } from "./measure.ts";
import { spreadOf } from "./spread.ts";

const SESSIONS = 100;
const COMMITS_PER_SESSION = 5;
const LENGTHS = { short: 10, long: 1_000 } as const;

export type CommitCostRow = { store: StoreKind; short: number; long: number; ratio: number };

export async function measureCommitCost(
  kind: StoreKind,
  options: { rounds: number; onRound?: () => void },
): Promise<CommitCostRow> {
  await using testStore = await openTestStore(kind);
  const store = await openStore(parseStoreAddress(testStore.url), {
    retention: retentionOf(LENGTHS.long),
    timeoutMs: 30_000,
    onConnectionError: () => undefined,
  });
  try {
    const figures = await interleave(
      {
        short: () => timeCommits(store.sessions, LENGTHS.short),
        long: () => timeCommits(store.sessions, LENGTHS.long),
      },
      options,
    );
    const short = spreadOf(figures.short).median;
    const long = spreadOf(figures.long).median;
    return { store: kind, short, long, ratio: long / short };
  } finally {
    await store.close();
  }
}

export function printCommitCost(rows: readonly CommitCostRow[]): string {
  return formatTable(
    ["store", `µs at ${LENGTHS.short} events`, `µs at ${LENGTHS.long} events`, "ratio"],
    rows.map((row) => [
      row.store,
      row.short.toFixed(1),
      row.long.toFixed(1),
      formatRatio(row.ratio),
    ]),
  );
}

/** Mean µs of a commit, one after another per session, on fresh sessions that hold `length` events. */
async function timeCommits(store: SessionStore, length: number): Promise<number> {
  const sessionIds = await Promise.all(Array.from({ length: SESSIONS }, () => fill(store, length)));
  // One at a time: commits that share a transaction would also share its pages.
  const start = performance.now();
  for (let version = 1; version <= COMMITS_PER_SESSION; version++) {
    for (const sessionId of sessionIds) await append(store, { sessionId, version, events: 1 });
  }
  const elapsedMs = performance.now() - start;
  await Promise.all(sessionIds.map((sessionId) => store.delete(sessionId, Date.now())));
  return (elapsedMs * 1_000) / (SESSIONS * COMMITS_PER_SESSION);
}

async function fill(store: SessionStore, length: number): Promise<string> {
  const sessionId = createSessionId("bench");
  await store.create({
    sessionId,
    nodeId: "bench",
    nowMs: Date.now(),
    ttlSeconds: 3_600,
    metadata: {},
    config: {},
    mark: markOf(0),
    requestId: undefined,
  });
  await append(store, { sessionId, version: 0, events: length });
  return sessionId;
}

/** As long as those that are drawn. */
function markOf(version: number): string {
  return String(version).padStart(16, "m");
}

async function append(
  store: SessionStore,
  { sessionId, version, events }: { sessionId: string; version: number; events: number },
): Promise<void> {
  const result = await store.commit({
    sessionId,
    at: { nowMs: Date.now(), slides: true },
    baseVersion: version,
    baseMark: markOf(version),
    mark: markOf(version + 1),
    time: version + 1,
    delta: {
      clearsStm: false,
      clearsAccumulators: false,
      clearsVectors: false,
      events: Array.from({ length: events }, (_, i) => [`symbol-${version}-${i}`]),
      emotives: [],
      metadata: [],
      vectors: [],
      percept: { strings: ["symbol"], vectors: [], metadata: {} },
    },
    ids: [`o${sessionId}.${version}`],
    outcomes: Array.from({ length: events }, (_, i) => ({
      id: `o${sessionId}.${version}.${i}`,
      reply: [i, i, null],
    })),
    learns: [],
  });
  if (result.status !== "committed") throw new Error(`the commit was ${result.status}`);
}
