import type { Emotives } from "@kato-rpc/shared/observation.ts";

import type { PatternMetadata } from "../pattern-metadata.ts";
import { BYTES_PER_ENTRY, emotivesBytes, metadataBytes } from "./heap-estimate.ts";

/** Emotives and metadata by slot: most patterns have none. */
export class SlotDetails {
  readonly #emotives = new Map<number, Emotives[]>();
  readonly #metadata = new Map<number, PatternMetadata>();
  #bytes = 0;

  /** An estimate. */
  get sizeBytes(): number {
    return this.#bytes + (this.#emotives.size + this.#metadata.size) * BYTES_PER_ENTRY;
  }

  emotivesOf(slot: number): readonly Emotives[] {
    return this.#emotives.get(slot) ?? [];
  }

  /** Without prototype when there is none. */
  metadataOf(slot: number): PatternMetadata {
    return this.#metadata.get(slot) ?? Object.create(null);
  }

  setEmotives(slot: number, emotives: readonly Emotives[]): void {
    const before = this.#emotives.get(slot);
    if (before !== undefined) this.#bytes -= emotivesBytes(before);
    this.#emotives.delete(slot);
    if (emotives.length === 0) return;
    this.#emotives.set(slot, [...emotives]);
    this.#bytes += emotivesBytes(emotives);
  }

  setMetadata(slot: number, metadata: PatternMetadata): void {
    const before = this.#metadata.get(slot);
    if (before !== undefined) this.#bytes -= metadataBytes(before);
    this.#metadata.delete(slot);
    if (Object.keys(metadata).length === 0) return;
    this.#metadata.set(slot, metadata);
    this.#bytes += metadataBytes(metadata);
  }
}
