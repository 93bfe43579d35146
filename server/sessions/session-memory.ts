import type {
  Retention,
  SessionDelta,
  SessionMemory,
  SessionPart,
} from "../stores/session-store.ts";

/** What a worker holds of a session's memory; a part that is absent was not loaded. */
export type KnownMemory = Partial<SessionMemory>;

/** As of most sessions, whose changes need nothing but the state. */
export const NOTHING_KNOWN: KnownMemory = Object.freeze({});

/** Of the short-term memory of one session, between two commits. */
const BYTES_KEPT = 16_384;
const BYTES_PER_ENTRY = 32;

/** Of what is known; `bytes` are estimated. */
export type WorthKeeping = { memory: KnownMemory; bytes: number };

const NOTHING_WORTH_KEEPING: WorthKeeping = { memory: NOTHING_KNOWN, bytes: BYTES_PER_ENTRY };

/** The parts of what was loaded; a percept is none of the memory. */
export function memoryOf(loaded: SessionMemory, parts: readonly SessionPart[]): KnownMemory {
  if (parts.length === 0) return NOTHING_KNOWN;
  const memory: KnownMemory = {};
  for (const part of parts) if (part !== "percept") Object.assign(memory, { [part]: loaded[part] });
  return memory;
}

export function copyMemory(memory: KnownMemory): KnownMemory {
  if (memory === NOTHING_KNOWN) return NOTHING_KNOWN;
  const { stm, emotives, metadata, vectors } = memory;
  const copy: KnownMemory = {};
  if (stm !== undefined) copy.stm = [...stm];
  if (emotives !== undefined) copy.emotives = [...emotives];
  if (metadata !== undefined) copy.metadata = [...metadata];
  if (vectors !== undefined) copy.vectors = [...vectors];
  return copy;
}

/** A part that a change has asked for. */
export function partOf<Part extends keyof SessionMemory>(
  memory: KnownMemory,
  part: Part,
): SessionMemory[Part] {
  const items = memory[part];
  if (items === undefined) throw new Error(`the session's ${part} were not loaded`);
  return items;
}

export function hasParts(memory: KnownMemory, parts: readonly SessionPart[]): boolean {
  return parts.every((part) => part === "percept" || memory[part] !== undefined);
}

/** Does to the known parts, in place, what the store does with `delta`. */
export function applyDelta(
  memory: KnownMemory,
  delta: SessionDelta,
  { events, accumulated }: Pick<Retention, "events" | "accumulated">,
): void {
  update(memory.stm, { clears: delta.clearsStm, added: delta.events, keep: events });
  const clears = delta.clearsAccumulators;
  update(memory.emotives, { clears, added: delta.emotives, keep: accumulated });
  update(memory.metadata, { clears, added: delta.metadata, keep: accumulated });
  const vectors = { clears: delta.clearsVectors, added: delta.vectors, keep: accumulated };
  update(memory.vectors, vectors);
}

function update<T>(
  items: T[] | undefined,
  change: { clears: boolean; added: readonly T[]; keep: number },
): void {
  if (items === undefined) return;
  if (change.clears) items.length = 0;
  for (const item of change.added) items.push(item);
  if (items.length > change.keep) items.splice(0, items.length - change.keep);
}

/**
 * The parts of `memory` that are worth being kept beside the session's state until its next call, and about how many
 * bytes they take: a short-term memory that is small, as where sessions learn by themselves, and what is empty.
 */
export function worthKeeping(memory: KnownMemory): WorthKeeping {
  if (memory === NOTHING_KNOWN) return NOTHING_WORTH_KEEPING;
  const kept: KnownMemory = {};
  let bytes = BYTES_PER_ENTRY;
  for (const part of ["emotives", "metadata", "vectors"] as const) {
    if (memory[part]?.length === 0) kept[part] = [];
  }
  if (memory.stm !== undefined) {
    const size = sizeOf(memory.stm);
    if (size <= BYTES_KEPT) {
      kept.stm = memory.stm;
      bytes += size;
    }
  }
  return { memory: kept, bytes };
}

/** Estimated. */
function sizeOf(events: readonly (readonly string[])[]): number {
  let bytes = 0;
  for (const event of events) {
    bytes += BYTES_PER_ENTRY;
    for (const symbol of event) bytes += BYTES_PER_ENTRY + 2 * symbol.length;
    if (bytes > BYTES_KEPT) break;
  }
  return bytes;
}
