/** Every fault that the kit knows. */
export const FAULT_KINDS = [
  "latency",
  "bandwidth",
  "drop",
  "stall",
  "half-close",
  "reset",
  "cut reply",
  "worker killed",
  "all workers killed",
  "worker frozen",
  "service killed",
  "Redis killed",
  "Redis frozen",
  "master replaced",
  "slot moved",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** How often each fault has really met something; one tally may serve all the faults of a test. */
export class FaultTally {
  readonly #counts = new Map<FaultKind, number>();

  add(kind: FaultKind): void {
    this.#counts.set(kind, this.of(kind) + 1);
  }

  of(kind: FaultKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  get total(): number {
    return this.rows().reduce((sum, [, count]) => sum + count, 0);
  }

  /** The faults that occurred, in the order of `FAULT_KINDS`. */
  rows(): [FaultKind, number][] {
    return FAULT_KINDS.map((kind): [FaultKind, number] => [kind, this.of(kind)]).filter(
      ([, count]) => count > 0,
    );
  }
}
