import type { WorkerMessage } from "./messages.ts";

/** Tells the primary why this worker cannot start, and ends it. */
export function endFailed(reason: string): void {
  const exit = () => process.exit(1);
  if (!process.connected) exit();
  const message: WorkerMessage = { kind: "failed", reason };
  process.send?.(message, undefined, undefined, exit);
}
