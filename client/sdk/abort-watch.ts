type Watchers = Set<(reason: unknown) => void>;

/**
 * Tells many calls of the end of a few signals with one listener on each: Node warns of a leak from
 * the eleventh listener on, and callers often share one signal among hundreds of calls.
 */
export class AbortWatch {
  readonly #watchers = new Map<AbortSignal, { set: Watchers; stop: () => void }>();

  /** Calls `onAbort` once when the signal aborts, at once if it has; gives what ends the watch. */
  add(signal: AbortSignal, onAbort: (reason: unknown) => void): () => void {
    if (signal.aborted) {
      onAbort(signal.reason);
      return () => undefined;
    }
    const { set } = this.#watchers.get(signal) ?? this.#listen(signal);
    set.add(onAbort);
    return () => {
      if (set.delete(onAbort) && set.size === 0) this.#forget(signal);
    };
  }

  #listen(signal: AbortSignal): { set: Watchers; stop: () => void } {
    const set: Watchers = new Set();
    const listener = () => {
      this.#forget(signal);
      for (const onAbort of set) onAbort(signal.reason);
    };
    signal.addEventListener("abort", listener, { once: true });
    const watched = { set, stop: () => signal.removeEventListener("abort", listener) };
    this.#watchers.set(signal, watched);
    return watched;
  }

  #forget(signal: AbortSignal): void {
    this.#watchers.get(signal)?.stop();
    this.#watchers.delete(signal);
  }
}
