/** What workers tell the primary. */
export type WorkerMessage =
  | { kind: "listening"; url: string }
  /** The worker cannot start; trying again would not help. */
  | { kind: "failed"; reason: string }
  /** The worker has served its share of requests and asks for a successor. */
  | { kind: "recycle" }
  | { kind: "metrics-wanted"; id: number };

/** What the primary tells a worker. */
export type PrimaryMessage =
  /** Answer what is under way, refuse what comes, then end. */
  | { kind: "drain" }
  /** A successor serves: finish with the connections at hand, then end. */
  | { kind: "leave" }
  | { kind: "metrics"; id: number; text: string };

/** Messages of the cluster module and of the metrics library pass on the same channel. */
export function isMessage<T extends { kind: string }>(value: unknown): value is T {
  return typeof value === "object" && value !== null && "kind" in value;
}
