import { fileURLToPath } from "node:url";
import { givePrecedence } from "../precedence.ts";
import { startProcess } from "../processes.ts";

/**
 * What a request holds: a call, or a batch of them, on as many sessions next to each other, or all of it on one session;
 * one `observeSequence`; or the plain JSON of one observation, for servers that speak no tRPC.
 */
export type RequestShape = "calls" | "callsOnOneSession" | "sequence" | "plain";

/** Observes on these sessions by turns, without an id of their own. */
export type GeneratorOptions = {
  url: string;
  sessionIds: readonly string[];
  seconds: number;
  /** The load goes on for so long before it is measured: the generator too has to get under way. */
  warmUpSeconds?: number;
  /** Closed loop: how many; open loop: at most how many. */
  connections: number;
  /** Of a sequence, its observations. */
  callsPerRequest: number;
  /** "calls" when left out. */
  shape?: RequestShape;
  /** Calls a second, whatever becomes of those before; left out: closed loop. */
  ratePerSecond?: number;
  /**
   * Where it may be had, the generator has precedence over what it measures: else a call is late, or read late, as the
   * generator waits for a processor. False when left out.
   */
  hasPrecedence?: boolean;
  /** Processes by what the report shall call them. */
  watched?: Readonly<Record<string, readonly number[]>>;
};

/** Three are OVERLOADED: `refused` at the door, refused there `beside` calls that ran, too `late` for their turn. */
export type CallKind = "ok" | "refused" | "beside" | "late" | "failed";

/** Milliseconds from when the call was due; null where there is none. */
export type LatencySummary = {
  count: number;
  p50: number | null;
  p99: number | null;
  p999: number | null;
  most: number | null;
};

export type LoadReport = {
  /** Whether the generator had the precedence that it was to have. */
  hadPrecedence: boolean;
  made: number;
  /** Due, but no connection was free to send them. */
  unsent: number;
  seconds: number;
  connections: number;
  /** Processor time of the watched processes, and of the generator, while the load went on. */
  cpuMs: Readonly<Record<string, number>>;
  /** By error code; CONNECTION_BROKEN when there was no answer. */
  failures: Record<string, number>;
  /** Answers in each second. */
  perSecond: Record<CallKind, number>[];
  latencies: Record<CallKind, LatencySummary>;
  /** By how much requests were sent later than they were due: up to a tick by design, more as the generator was busy. */
  lag: LatencySummary;
};

/** What the generator itself tells. */
export type GeneratorReport = Omit<LoadReport, "hadPrecedence">;

/** Loads a service from a process of its own. */
export async function load(options: GeneratorOptions): Promise<LoadReport> {
  const generator = await startProcess({
    command: process.execPath,
    args: [fileURLToPath(new URL("./generator.ts", import.meta.url)), JSON.stringify(options)],
  });
  await using _ended = generator;
  const hadPrecedence = options.hasPrecedence === true && (await givePrecedence(generator.pid));
  const [line] = await generator.waitForLine(/^\{"made".*$/, (options.seconds + 60) * 1_000);
  return { ...(JSON.parse(line) as GeneratorReport), hadPrecedence };
}
