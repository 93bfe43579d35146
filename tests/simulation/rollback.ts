import type { ModelStore } from "../contract/model-store.ts";
import type { SessionCall } from "../support/history/session-call.ts";
import type { World } from "./world.ts";

/** When the store kept its state, and when it was put back to it; what was committed between is lost. */
export type Rollback = {
  readonly keptAt: number;
  readonly putBackAt: number;
  /** Of the changes that were lost, as among the world's commits. */
  readonly lost: ReadonlySet<string>;
};

/** Within which the store keeps its state. */
const KEPT_WITHIN_MS = 20;

/**
 * The store loses its newest changes, acknowledged ones as well, and goes on from the state that it had before them: as
 * with a durability of `fast`, when it starts again or a replica takes its place.
 */
export function planRollback(world: World, model: ModelStore): void {
  const { chance, faults, scheduler } = world;
  if (!faults.has("store put back")) return;
  scheduler.after(chance.below(KEPT_WITHIN_MS), () => {
    const putBack = model.keep();
    const keptAt = world.moment();
    world.note(() => "store: keeps its state");
    scheduler.after(chance.pick([30, 60, 100]), () => {
      faults.note("store put back");
      world.note(() => "store: is put back");
      putBack();
      const lost = takeCommitsAfter(keptAt, world.commits);
      world.rollback = { keptAt, putBackAt: world.moment(), lost };
    });
  });
}

function takeCommitsAfter(moment: number, commits: Map<string, number>): Set<string> {
  const after = [...commits].filter(([, at]) => at > moment).map(([key]) => key);
  for (const key of after) commits.delete(key);
  return new Set(after);
}

/**
 * What of a call still holds, none or one. What a caller was told while changes were made that are lost now may tell of
 * them, and what it did may be one; but a change that was not lost, or was made again, holds with all that came of it.
 */
export function afterRollback(
  call: SessionCall,
  key: string | undefined,
  rollback: Rollback | undefined,
): SessionCall[] {
  if (rollback === undefined || call.kind === "create" || !isBetween(call, rollback)) return [call];
  if (key === undefined && call.kind !== "delete") return [];
  const isLost = key === undefined || rollback.lost.has(key);
  if (call.outcome === "ok" && !isLost) return [call];
  const outcome = call.outcome === "failed" ? "failed" : "unknown";
  return [{ ...call, outcome, refusal: undefined, error: undefined }];
}

/** The calls of a client that tell nothing of what was lost. */
export function withoutLost(
  made: readonly SessionCall[],
  rollback: Rollback | undefined,
): readonly SessionCall[] {
  return rollback === undefined ? made : made.filter((call) => !isBetween(call, rollback));
}

function isBetween({ startedAt, endedAt }: SessionCall, { keptAt, putBackAt }: Rollback): boolean {
  return startedAt < putBackAt && endedAt > keptAt;
}
