import type { NetworkFaultKind, ScriptOptions } from "../support/faults/fault-script.ts";

/** Cuts between commit and reply matter most; resets hit whatever is under way. */
const KINDS: readonly NetworkFaultKind[] = [
  ...(["cut reply", "cut reply", "cut reply", "reset", "reset", "half-close"] as const),
  ...(["latency", "bandwidth", "drop", "stall"] as const),
];

/** About one fault a second. */
export const NETWORK_FAULTS: Omit<ScriptOptions, "durationMs"> = {
  kinds: KINDS,
  everyMs: 500,
  longestMs: 500,
};
