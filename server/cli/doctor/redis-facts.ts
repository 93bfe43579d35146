import type { ServerFacts } from "../../stores/redis/server-facts.ts";

/** What a Redis says of itself; undefined where it does not permit the question. */
export type RedisFacts = ServerFacts & {
  latencyMs: number;
  /** `CLUSTER INFO`, likewise; asked of a cluster's nodes only. */
  cluster?: ReadonlyMap<string, string> | undefined;
  /** What the user may not run of that which the service calls, as the server says; undefined for nothing. */
  forbidden?: string | undefined;
  /** Its clock less this machine's, in ms. */
  clockAheadMs: number | undefined;
};

/** The answer to `TIME`: seconds and microseconds. */
export function parseTimeMs(reply: readonly (number | string)[]): number {
  const [seconds, microseconds] = reply.map(Number);
  return (seconds ?? Number.NaN) * 1_000 + (microseconds ?? Number.NaN) / 1_000;
}
