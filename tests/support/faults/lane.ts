import type { Socket } from "node:net";
import type { Random } from "./draw.ts";
import type { LaneFaultKind, LaneFaults } from "./lane-faults.ts";
import { kindsOf } from "./lane-faults.ts";

/** Held here at most; a sender that goes on is stopped by TCP. */
const HELD_BYTES = 1_048_576;
/** A limited bandwidth is handed out in parts of this length. */
const BANDWIDTH_STEP_MS = 20;

export type LaneParts = {
  from: Socket;
  to: Socket;
  faults: LaneFaults;
  random: Random;
  /** Told of a fault once, when bytes first meet it. */
  met(kind: LaneFaultKind): void;
  /** Told of bytes as they leave. */
  forwarded?(bytes: Buffer): void;
};

type Chunk = { bytes: Buffer; dueAt: number };

/** One direction of one connection: forwards bytes and their end in order, through the faults of the moment. */
export class Lane {
  readonly #parts: LaneParts;
  readonly #met = new Set<LaneFaultKind>();
  #faults: LaneFaults;
  #chunks: Chunk[] = [];
  #heldBytes = 0;
  /** When the next bytes may leave under the limit of bandwidth. */
  #freeAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #hasEnded = false;
  #hasHole = false;

  constructor(parts: LaneParts) {
    this.#parts = parts;
    this.#faults = parts.faults;
    parts.from.on("end", () => this.#end());
    parts.to.on("drain", () => this.#forward());
    parts.to.on("close", () => clearTimeout(this.#timer));
  }

  /** Whether something was dropped: nothing may pass any more, since no real stream has a hole. */
  get hasHole(): boolean {
    return this.#hasHole;
  }

  change(faults: LaneFaults): void {
    this.#faults = faults;
    const kinds = kindsOf(faults);
    for (const kind of this.#met) if (!kinds.includes(kind)) this.#met.delete(kind);
    this.#forward();
  }

  /** Takes bytes that arrived. */
  take(bytes: Buffer): void {
    if (this.#hasEnded) return;
    this.#meet();
    if (this.#hasHole) return;
    if (this.#parts.to.destroyed) {
      // What TCP answers to bytes for an end that is gone.
      this.#parts.from.resetAndDestroy();
      return;
    }

    const { latencyMs, jitterMs } = this.#faults;
    const dueAt = performance.now() + latencyMs + jitterMs * this.#parts.random();
    for (const part of this.#split(bytes)) this.#chunks.push({ bytes: part, dueAt });
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > HELD_BYTES) this.#parts.from.pause();
    this.#forward();
  }

  /** Ends the stream after what was taken so far, and swallows what comes later. */
  halfClose(): void {
    this.#hasEnded = true;
    this.#forward();
  }

  #end(): void {
    if (this.#faults.drops) this.#meet();
    if (!this.#hasHole) this.halfClose();
  }

  #meet(): void {
    for (const kind of kindsOf(this.#faults)) {
      if (kind === "drop") this.#hasHole = true;
      if (this.#met.has(kind)) continue;
      this.#met.add(kind);
      this.#parts.met(kind);
    }
  }

  #split(bytes: Buffer): Buffer[] {
    const { bytesPerSecond } = this.#faults;
    if (bytesPerSecond === Infinity) return [bytes];
    const size = Math.max(1, Math.floor((bytesPerSecond * BANDWIDTH_STEP_MS) / 1_000));
    return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    );
  }

  /** Forwards what is due, and comes back for the rest. */
  #forward(): void {
    clearTimeout(this.#timer);
    const { from, to, forwarded } = this.#parts;
    while (!this.#faults.stalls && !to.writableNeedDrain) {
      const [next] = this.#chunks;
      if (next === undefined) {
        if (this.#hasEnded) to.end();
        return;
      }
      const now = performance.now();
      const waitMs = Math.max(next.dueAt, this.#freeAt) - now;
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#forward(), Math.ceil(waitMs));
        return;
      }
      this.#chunks.shift();
      this.#heldBytes -= next.bytes.length;
      if (this.#heldBytes <= HELD_BYTES) from.resume();
      this.#freeAt = now + (next.bytes.length * 1_000) / this.#faults.bytesPerSecond;
      forwarded?.(next.bytes);
      to.write(next.bytes);
    }
  }
}
