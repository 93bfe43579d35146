import { setTimeout as delay } from "node:timers/promises";
import { randomFrom } from "../random.ts";
import type { Random } from "./draw.ts";
import { drawOne, drawWhole } from "./draw.ts";
import type { FaultProxy } from "./fault-proxy.ts";
import type { Direction } from "./proxied-connection.ts";
import { DIRECTIONS } from "./proxied-connection.ts";

/** One thing that a proxy does; what it does to bytes lasts for `forMs`. */
export type Fault =
  | { kind: "latency"; direction: Direction; latencyMs: number; jitterMs: number; forMs: number }
  | { kind: "bandwidth"; direction: Direction; bytesPerSecond: number; forMs: number }
  | { kind: "drop" | "stall"; direction: Direction; forMs: number }
  | { kind: "cut reply"; afterBytes: number; count: number; forMs: number }
  | { kind: "half-close"; direction: Direction; forMs: 0 }
  | { kind: "reset"; forMs: 0 };
export type NetworkFaultKind = Fault["kind"];

/** `atMs` counts from the begin of the script. */
export type TimedFault = Fault & { atMs: number };

export type ScriptOptions = {
  /** No fault lasts longer than this. */
  durationMs: number;
  /** Mean pause from the end of one fault to the begin of the next. */
  everyMs: number;
  /** Longest time that one fault lasts; 500 when left out. */
  longestMs?: number;
  /** Those to draw from; all when left out. */
  kinds?: readonly NetworkFaultKind[];
};

const KINDS = [
  "latency",
  "bandwidth",
  "drop",
  "stall",
  "cut reply",
  "half-close",
  "reset",
] as const;

/** Faults one after another, the same ones for the same seed and options. */
export function drawFaultScript(seed: number, options: ScriptOptions): TimedFault[] {
  const { durationMs, everyMs, longestMs = 500, kinds = KINDS } = options;
  const random = randomFrom(seed);
  const script: TimedFault[] = [];
  for (let atMs = drawWhole(random, 0, 2 * everyMs); atMs < durationMs;) {
    const longest = Math.max(1, Math.min(longestMs, durationMs - atMs));
    const fault = drawFault(random, drawOne(random, kinds), drawWhole(random, 1, longest));
    script.push({ ...fault, atMs });
    atMs += fault.forMs + drawWhole(random, 1, 2 * everyMs);
  }
  return script;
}

function drawFault(random: Random, kind: NetworkFaultKind, forMs: number): Fault {
  const direction = drawOne(random, DIRECTIONS);
  switch (kind) {
    case "latency": {
      const [latencyMs, jitterMs] = [drawWhole(random, 1, 100), drawWhole(random, 0, 100)];
      return { kind, direction, latencyMs, jitterMs, forMs };
    }
    case "bandwidth":
      return { kind, direction, bytesPerSecond: drawWhole(random, 2_000, 200_000), forMs };
    case "drop":
    case "stall":
      return { kind, direction, forMs };
    case "cut reply": {
      // As often before the first byte as in the midst of a reply.
      const afterBytes = random() < 0.5 ? 0 : drawWhole(random, 1, 200);
      return { kind, afterBytes, count: drawWhole(random, 1, 3), forMs };
    }
    case "half-close":
      return { kind, direction, forMs: 0 };
    case "reset":
      return { kind, forMs: 0 };
    default:
      throw new Error(`no fault is called ${String(kind satisfies never)}`);
  }
}

/** Plays a script on a proxy, which is free of faults at the end; `signal` ends it early. */
export async function playFaultScript(
  proxy: FaultProxy,
  script: readonly TimedFault[],
  signal?: AbortSignal,
): Promise<void> {
  const startedAt = performance.now();
  const until = (atMs: number) => pause(startedAt + atMs - performance.now(), signal);
  for (const fault of script) {
    await until(fault.atMs);
    if (signal?.aborted === true) return;
    inject(proxy, fault);
    await until(fault.atMs + fault.forMs);
    proxy.clear();
  }
}

function inject(proxy: FaultProxy, fault: Fault): void {
  switch (fault.kind) {
    case "latency": {
      const { direction, latencyMs, jitterMs } = fault;
      proxy.set({ direction, latencyMs, jitterMs });
      break;
    }
    case "bandwidth":
      proxy.set({ direction: fault.direction, bytesPerSecond: fault.bytesPerSecond });
      break;
    case "drop":
      proxy.set({ direction: fault.direction, drops: true });
      break;
    case "stall":
      proxy.stall(fault.direction);
      break;
    case "cut reply":
      proxy.cutReplies(fault);
      break;
    case "half-close":
      proxy.halfCloseAll(fault.direction);
      break;
    case "reset":
      proxy.resetAll();
      break;
    default:
      throw new Error(`no fault is called ${String(fault satisfies never)}`);
  }
}

/** Resolves early, and never rejects, when the signal aborts. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  await delay(Math.max(0, ms), undefined, options).catch(() => {
    if (signal?.aborted !== true) throw signal?.reason;
  });
}
