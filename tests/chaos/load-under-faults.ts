import { writeFileSync } from "node:fs";
import { createKatoClient } from "@kato-rpc/client";
import type { TaskMeta } from "vitest";
import { expect } from "vitest";
import type { FaultTally } from "../support/faults/fault-tally.ts";
import type { Finding } from "../support/history/finding.ts";
import { describeFinding } from "../support/history/finding.ts";
import { checkLoad } from "../support/load/check-load.ts";
import type { MixedLoad } from "../support/load/mixed-load.ts";
import { MOST_CALLS, runMixedLoad } from "../support/load/mixed-load.ts";
import type { ChaosReport } from "./chaos-report.ts";
import { formatReports } from "./chaos-report.ts";
import { LoadProgress } from "./load-progress.ts";

declare module "vitest" {
  interface TaskMeta {
    /** For the table at the end of the run. */
    chaos?: ChaosReport;
  }
}

export type LoadUnderFaults = {
  /** The running test. */
  task: { meta: TaskMeta };
  /** What the report calls it. */
  name: string;
  seed: number;
  /** Where the callers reach the service. */
  url: string;
  sessions: number;
  nodes: number;
  tally: FaultTally;
  /** Injects the faults; all must be well again when it resolves. */
  disturb(load: LoadProgress): Promise<void>;
  /** Called when the callers have ended: replaces every worker, so that what is read then comes from the store alone. */
  settle(): Promise<void>;
};

/** Named by their numbers, from 0. */
export const NODE_PREFIX = "load";
/** What faults may end a call with, and what the load provokes itself. */
const EXPECTED_ERRORS: ReadonlySet<string> = new Set([
  "CONNECTION_FAILED",
  "TIMEOUT",
  "STORE_UNAVAILABLE",
  "OVERLOADED",
  "SHUTTING_DOWN",
  "SESSION_NOT_FOUND",
  "EMPTY_STM",
]);
/** So large a share of the calls, or so many of few, may stay without an answer after all retries of the SDK. */
const MOST_UNKNOWN = { share: 0.02, calls: 20 };
const SHOWN_FINDINGS = 10;
/** Names a file for all calls on the sessions and nodes of the findings, one JSON object in each line. */
const HISTORY_VARIABLE = "CHAOS_HISTORY";

/**
 * Runs the mixed load, by the SDK with its default retries, for as long as faults are injected; then reads sessions and
 * nodes and checks the whole history. Fails with the seed and the findings.
 */
export async function loadUnderFaults(options: LoadUnderFaults): Promise<ChaosReport> {
  const { task, name, seed, tally } = options;
  const startedAt = performance.now();
  const load = await runUntilDisturbed(options);
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  await using client = createKatoClient({ url: options.url });
  const findings = await checkLoad(load, client);

  keepHistory(load, findings);

  const { calls, retries, unknown, errors } = load.counts;
  const faultsByKind = Object.fromEntries(tally.rows());
  const counts = { calls, retries, unknown, errors, faults: tally.total, faultsByKind };
  const report = { test: name, seed, seconds, ...counts, violations: findings.length };
  task.meta.chaos = report;

  const shown = findings.slice(0, SHOWN_FINDINGS).map(describeFinding).join("\n\n");
  const figures = `${formatReports([report])}\n${JSON.stringify(report)}`;
  const told = `CHAOS_SEED=${seed}\n${figures}\n\n${shown}\n`;
  expect(findings.length, `findings of the checker, ${told}`).toBe(0);
  const unexpected = Object.keys(errors).filter((code) => !EXPECTED_ERRORS.has(code));
  expect(unexpected, `unexpected errors, ${told}`).toEqual([]);
  const mostUnknown = Math.max(MOST_UNKNOWN.calls, MOST_UNKNOWN.share * calls);
  expect(unknown, `unknown outcomes, ${told}`).toBeLessThanOrEqual(mostUnknown);
  return report;
}

/** Whatever fails, the load has ended when this settles. */
async function runUntilDisturbed(options: LoadUnderFaults): Promise<MixedLoad> {
  const { url, seed, sessions, nodes, disturb, settle } = options;
  const progress = new LoadProgress();
  const [over, givenUp] = [new AbortController(), new AbortController()];
  const load = runMixedLoad({
    urls: [url],
    seed,
    sessions,
    nodes,
    nodePrefix: NODE_PREFIX,
    signal: over.signal,
    client: { signal: givenUp.signal },
    onCall: (call) => progress.add(call),
    beforeReading: async () => {
      if (!givenUp.signal.aborted) await settle();
    },
  });
  try {
    await disturb(progress);
    if (progress.counted >= MOST_CALLS) throw new Error("the load had ended before the faults did");
    over.abort();
    return await load;
  } catch (error) {
    over.abort();
    givenUp.abort();
    await Promise.allSettled([load]);
    throw error;
  }
}

function keepHistory({ calls }: MixedLoad, findings: readonly Finding[]): void {
  const file = process.env[HISTORY_VARIABLE];
  if (file === undefined || findings.length === 0) return;
  const subjects = new Set(findings.map(({ subject }) => subject));
  const accused = calls.filter(({ session, node }) => subjects.has(session) || subjects.has(node));
  writeFileSync(file, accused.map((call) => `${JSON.stringify(call)}\n`).join(""));
}
