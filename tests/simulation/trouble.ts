import type { SimulatedWorker } from "./simulated-worker.ts";
import type { World } from "./world.ts";

/** Within which every fault begins that has a time of its own. */
const TROUBLE_MS = 150;

/** Plans the faults that come by themselves, rather than with a call that they strike. */
export function planTrouble(world: World, workers: readonly SimulatedWorker[]): void {
  const { chance, faults, scheduler } = world;
  const soon = (run: () => void) => void scheduler.after(chance.below(TROUBLE_MS), run);
  for (const worker of workers) {
    if (faults.has("worker crash")) {
      soon(() => {
        faults.note("worker crash");
        worker.crash();
        scheduler.after(chance.between(1, 100), () => worker.restart());
      });
    }
    if (faults.has("worker stall") && chance.happens(0.5)) {
      soon(() => {
        faults.note("worker stall");
        worker.stall(chance.pick([20, 200, 8_000]));
      });
    }
    if (faults.has("worker drain")) {
      soon(() => {
        faults.note("worker drain");
        worker.drain(chance.pick([10, 100, 1_000]));
      });
    }
  }
  if (!faults.has("store outage")) return;
  soon(() => {
    faults.note("store outage");
    world.note(() => "store: down");
    world.storeDownUntil = scheduler.nowMs + chance.pick([5, 50, 500]);
  });
}
