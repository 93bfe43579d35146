/** What setTimeout can wait for. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Settles as `promise` does, or rejects with what `late` makes once `remainingMs` have passed; `promise` goes on then. */
export function beforeDeadline<T>(
  promise: Promise<T>,
  { remainingMs, late }: { remainingMs: number; late: () => Error },
): Promise<T> {
  return new Promise((resolve, reject) => {
    const waitMs = Math.max(0, Math.min(remainingMs, LONGEST_TIMER_MS));
    const timer = setTimeout(() => reject(late()), waitMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
