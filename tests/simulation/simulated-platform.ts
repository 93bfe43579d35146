import type { Platform } from "../../client/sdk/platform.ts";
import type { World } from "./world.ts";

/** Time and chance as the clients in a world have them. */
export function platformIn({ scheduler, chance }: World): Platform {
  return {
    now: () => scheduler.nowMs,
    random: () => chance.fraction(),
    randomBytes: () => chance.bytes(),
    after: (delayMs, run) => scheduler.after(delayMs, run),
    afterTick: (run) => void scheduler.after(0, run),
  };
}
