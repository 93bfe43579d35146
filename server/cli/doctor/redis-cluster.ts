import type { Check } from "./check.ts";
import { fail, ok, unknown } from "./check.ts";
import type { RedisFacts } from "./redis-facts.ts";

const SLOTS = 16_384;

/** Whether the cluster serves all of its slots, as this node sees it. */
export function checkCluster({ cluster }: RedisFacts): Check {
  if (cluster === undefined) {
    return unknown("cluster", "the server does not permit CLUSTER INFO", "permit +cluster|info");
  }
  const state = cluster.get("cluster_state");
  const covered = Number(cluster.get("cluster_slots_ok"));
  const found = `state ${state}, ${covered} of ${SLOTS} slots served by ${cluster.get("cluster_size")} masters`;
  if (state === "ok" && covered === SLOTS) return ok("cluster", found);
  const advice = "bring the masters back or give their slots to others: redis-cli --cluster check";
  return fail("cluster", found, advice);
}
