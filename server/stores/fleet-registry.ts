/**
 * Where the workers of every machine that shares the store report to one another. A report lives for
 * `ttlMs`: a worker that died drops out by itself.
 */
export interface FleetRegistry {
  publish(workerId: string, report: string, ttlMs: number): Promise<void>;
  /** Every living worker's newest report. */
  read(): Promise<string[]>;
  remove(workerId: string): Promise<void>;
}
