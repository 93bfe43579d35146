const FIRST_CEILING_MS = 100;
const LAST_CEILING_MS = 5_000;

/**
 * Milliseconds to wait after the `attempts`th failed attempt: exponential back-off with equal jitter
 * (AWS Architecture Blog, "Exponential Backoff And Jitter"), after what the service asked for, so
 * that clients that were all told the same do not come back together. Half of the wait is sure: with
 * full jitter, which may be none at all, no number of retries would be certain to outlast a restart
 * of the service. `random` is in [0, 1).
 */
export function retryDelayMs(attempts: number, retryAfterMs: number, random: number): number {
  const ceilingMs = Math.min(LAST_CEILING_MS, FIRST_CEILING_MS * 2 ** (attempts - 1));
  return retryAfterMs + ((1 + random) / 2) * ceilingMs;
}

/** A `Retry-After` header as milliseconds: seconds, or a date compared with `nowMs`; 0 for any other. */
export function parseRetryAfter(header: string | null, nowMs: number): number {
  if (header === null) return 0;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? 0 : Math.max(0, date - nowMs);
}
