import { totalmem } from "node:os";
import { setFlagsFromString } from "node:v8";

/**
 * In MiB: V8 takes as much as it needs. With 32, the most that Node allows it, a worker at half of its load collects
 * garbage thirteen times a second, and all calls of that millisecond wait.
 */
const ROOM_MIB = 64;
/** In bytes. With less memory Node's own, smaller limit stays: each thread may take three times the room. */
const LEAST_MEMORY = 2 * 2 ** 30;

/** What a worker is started with, so that it has room for young objects. */
export function roomForYoungObjects(): { NODE_OPTIONS?: string } {
  // oxlint-disable-next-line node/no-process-env -- Node's own, which config.ts knows nothing of
  const given = process.env["NODE_OPTIONS"] ?? "";
  // 0, or more than there is: not limited.
  const memory = Math.min(process.constrainedMemory() || Infinity, totalmem());
  const options = youngObjectOptions(memory, [given, ...process.execArgv]);
  return options === undefined ? {} : { NODE_OPTIONS: `${options} ${given}`.trim() };
}

/**
 * undefined where memory, in bytes, is short, or where `given` limits the whole heap: V8 does not start when that, young
 * and old objects are all limited. A limit of young objects in `given` comes later, and so counts.
 */
export function youngObjectOptions(memory: number, given: readonly string[]): string | undefined {
  const limitsHeap = given.some((options) => /--max[-_]heap[-_]size/.test(options));
  return memory < LEAST_MEMORY || limitsHeap ? undefined : `--max-semi-space-size=${ROOM_MIB}`;
}

/**
 * Lets V8 make every object young. It would make those old from the start whose place in the code made objects that
 * lived long, as a burst of new connections or sessions does. What a call makes there later is garbage at once, but old
 * garbage, and all that it points to outlives one collection after another: pauses of 3 ms in place of 1.5.
 *
 * Call it when all is loaded: compiled code that other processes have kept is taken by those only whose flags are the same.
 */
export function keepYoungObjectsYoung(): void {
  setFlagsFromString("--no-allocation-site-pretenuring");
}
