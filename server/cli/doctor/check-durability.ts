import type { Durability } from "../../stores/durability.ts";
import { describeDurability, DurabilityError } from "../../stores/durability.ts";
import type { RedisConnection } from "../../stores/redis/connection.ts";
import { findWait } from "../../stores/redis/find-wait.ts";
import { describeWindow, describeShortage } from "../../stores/redis/redis-durability.ts";
import type { Check } from "./check.ts";
import { fail, ok, warn, worstOf } from "./check.ts";
import type { RedisFacts } from "./redis-facts.ts";

const NAME = "durability";

/** What of the acknowledged a fault may lose with this setting, and whether the servers can give it. */
export async function checkDurability(
  connection: RedisConnection,
  facts: ReadonlyMap<string, RedisFacts>,
  durability: Durability,
): Promise<Check> {
  try {
    await findWait(connection, durability);
  } catch (error) {
    if (!(error instanceof DurabilityError)) throw error;
    return fail(NAME, error.message, "set up Redis for it, or choose another KATO_DURABILITY");
  }
  const checks = Array.from(facts, ([server, one]) => [server, judge(one, durability)] as const);
  return worstOf(new Map(checks)) ?? ok(NAME, describeDurability(durability));
}

function judge(facts: RedisFacts, durability: Durability): Check {
  const shortage = describeShortage(facts, durability);
  if (shortage !== undefined) {
    return warn(NAME, shortage, "connect replicas, or ask for fewer in KATO_DURABILITY");
  }
  return ok(NAME, `${describeDurability(durability)}: ${describeWindow(facts, durability)}`);
}
