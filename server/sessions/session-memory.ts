import type {
  Retention,
  SessionDelta,
  SessionMemory,
  SessionPart,
} from "../stores/session-store.ts";

/** What a worker holds of a session's memory; a part that is absent was not loaded. */
export type KnownMemory = Partial<SessionMemory>;

/** Events, emotives and the rest that a worker keeps of one session between two commits, in all. */
const ITEMS_KEPT = 256;

export function copyMemory({ stm, emotives, metadata, vectors }: KnownMemory): KnownMemory {
  return {
    ...(stm === undefined ? {} : { stm: [...stm] }),
    ...(emotives === undefined ? {} : { emotives: [...emotives] }),
    ...(metadata === undefined ? {} : { metadata: [...metadata] }),
    ...(vectors === undefined ? {} : { vectors: [...vectors] }),
  };
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

/** `memory` if it is small enough to be kept beside the session's state, else nothing of it. */
export function worthKeeping(memory: KnownMemory): KnownMemory {
  const { stm = [], emotives = [], metadata = [], vectors = [] } = memory;
  const items = stm.length + emotives.length + metadata.length;
  // Vectors may be long, and soon wait no more.
  return items <= ITEMS_KEPT && vectors.length === 0 ? memory : {};
}
