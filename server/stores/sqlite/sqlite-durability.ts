import type { Durability, DurabilityState } from "../durability.ts";
import { describeDurability, DurabilityError } from "../durability.ts";
import type { Synchronous } from "./database.ts";

/** What a file in WAL mode keeps: https://sqlite.org/pragma.html#pragma_synchronous */
export function sqliteDurability(durability: Durability): {
  synchronous: Synchronous;
  state: DurabilityState;
} {
  if (durability.kind === "replicated") {
    throw new DurabilityError(durability, "a SQLite file has no replicas; use fsync, or Redis");
  }
  const [synchronous, powerCut] =
    durability.kind === "fsync"
      ? (["FULL", "a power cut loses nothing either"] as const)
      : (["NORMAL", "a power cut may lose the last moments"] as const);
  const window = `the death of any process loses nothing; ${powerCut}`;
  return { synchronous, state: { setting: describeDurability(durability), window, warnings: [] } };
}
