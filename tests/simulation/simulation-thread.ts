import { parentPort, workerData } from "node:worker_threads";
import { sabotageCalled } from "./sabotages.ts";
import type { SeedRange } from "./totals.ts";
import { runSchedules } from "./totals.ts";

/** The name of the mistake that the service shall have, if any. */
const sabotage = sabotageCalled(workerData as string | undefined);

parentPort?.on("message", (range: SeedRange) => {
  void runSchedules(range, { sabotage }).then((totals) => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    parentPort?.postMessage(totals);
  });
});
