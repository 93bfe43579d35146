import { parentPort } from "node:worker_threads";
import { steadyNow } from "../steady-clock.ts";
import { ReplicaHost } from "./replica-host.ts";
import type { CallMessage } from "./replica-messages.ts";

/** The thread that keeps nodes in memory and predicts: what it is told and asked, in order. */
const host = new ReplicaHost(steadyNow);

parentPort?.on("message", (message: CallMessage) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(host.answer(message));
});
