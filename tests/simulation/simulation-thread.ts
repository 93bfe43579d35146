import { parentPort } from "node:worker_threads";
import type { SeedRange } from "./totals.ts";
import { runSchedules } from "./totals.ts";

parentPort?.on("message", (range: SeedRange) => {
  void runSchedules(range).then((totals) => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    parentPort?.postMessage(totals);
  });
});
