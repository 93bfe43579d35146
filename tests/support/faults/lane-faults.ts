/** What the bytes of one direction meet; all of it may be changed while they travel. */
export type LaneFaults = {
  /** From the arrival of bytes to their departure. */
  latencyMs: number;
  /** Up to so much longer, drawn for each chunk. The order of bytes stays. */
  jitterMs: number;
  bytesPerSecond: number;
  /** Bytes, and the end of a stream, vanish while the connection stays open. */
  drops: boolean;
  /** Bytes wait until this is false again. */
  stalls: boolean;
};

export const NO_FAULTS: LaneFaults = {
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: Infinity,
  drops: false,
  stalls: false,
};

export type LaneFaultKind = "latency" | "bandwidth" | "drop" | "stall";

/** The kinds that bytes arriving now would meet. */
export function kindsOf(faults: LaneFaults): LaneFaultKind[] {
  // Nothing else can happen to what is lost.
  if (faults.drops) return ["drop"];
  const kinds: [LaneFaultKind, boolean][] = [
    ["latency", faults.latencyMs + faults.jitterMs > 0],
    ["bandwidth", faults.bytesPerSecond < Infinity],
    ["stall", faults.stalls],
  ];
  return kinds.filter(([, isOn]) => isOn).map(([kind]) => kind);
}
