import type { MetricSnapshot } from "./workers-metrics.ts";

/** What workers tell the primary. */
export type WorkerMessage =
  /** All its code is there: it waits for `open`. */
  | { kind: "loaded" }
  /** Connections may come. */
  | { kind: "ready" }
  /** The worker cannot start; trying again would not help. */
  | { kind: "failed"; reason: string }
  /** The connection that came last is this worker's now. */
  | { kind: "taken" }
  /** The worker has served its share of requests and asks for a successor. */
  | { kind: "recycle" }
  /** Every call accepted before the drain is answered. */
  | { kind: "drained" }
  /** Answers `ping`. */
  | { kind: "pong" }
  | { kind: "metrics-wanted"; id: number }
  /** This worker's own metrics: asked for, or its last ones. */
  | { kind: "own-metrics"; id: number | undefined; metrics: MetricSnapshot[] };

/** What the primary tells a worker. */
export type PrimaryMessage =
  /** The address is this service's: open the store, and get ready. */
  | { kind: "open" }
  /** Beside it comes the socket. */
  | { kind: "connection" }
  /** Answer what is under way and refuse what comes. */
  | { kind: "drain" }
  /** No connection comes any more: finish with those at hand, then end. */
  | { kind: "leave" }
  /** Give a sign of life. */
  | { kind: "ping" }
  | { kind: "report-metrics"; id: number }
  | { kind: "metrics"; id: number; text: string };

/** Messages of the cluster module pass on the same channel. */
export function isMessage<T extends { kind: string }>(value: unknown): value is T {
  return typeof value === "object" && value !== null && "kind" in value;
}
