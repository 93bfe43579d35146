/** The statistics that finalize took its metrics from; it covers the slots below `slots`. */
export interface FinalizedStatistics {
  slots: number;
  /** U and N of then (sessions.md §9). */
  patterns: number;
  symbols: number;
  /** By symbol id. */
  members: Uint32Array;
}

/** The same as a store keeps it: members by symbol. */
export type LoadedFinalized = Omit<FinalizedStatistics, "members"> & {
  members: Iterable<readonly [symbol: string, patterns: number]>;
};
