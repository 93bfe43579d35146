import { createIdSource } from "../id-source.ts";
import type { Platform } from "../platform.ts";
import type { KatoInputs } from "../router-types.ts";

type IdField<Input> = "observationId" extends keyof Input
  ? "observationId"
  : "requestId" extends keyof Input
    ? "requestId"
    : never;
type IdFields<Group extends "session" | "node"> = {
  [
    K in keyof KatoInputs[Group] as IdField<KatoInputs[Group][K]> extends never
      ? never
      : `${Group}.${K & string}`
  ]: IdField<KatoInputs[Group][K]>;
};

/** Which input field makes a call safe to repeat. Its type demands an entry for each that has one. */
const ID_FIELDS: IdFields<"session"> & IdFields<"node"> = {
  "session.create": "requestId",
  "session.observe": "observationId",
  "session.observeSequence": "requestId",
  "session.learn": "requestId",
  "session.configure": "requestId",
  "session.clearStm": "requestId",
  "session.extend": "requestId",
  "session.delete": "requestId",
  "node.correct": "requestId",
  "node.forget": "requestId",
  "node.finalize": "requestId",
  "node.clear": "requestId",
};

const FIELDS = new Map<string, string>(Object.entries(ID_FIELDS));

/** Gives the input of a mutation that has none its id before the first attempt, so that every retry carries the same. */
export function givingIds(platform: Platform): (path: string, input: unknown) => unknown {
  const nextId = createIdSource(platform);
  return (path, input) => {
    const field = FIELDS.get(path);
    return field === undefined || !lacks(input, field) ? input : { ...input, [field]: nextId() };
  };
}

function lacks(input: unknown, field: string): input is Record<string, unknown> {
  if (typeof input !== "object" || input === null) return false;
  return (input as Record<string, unknown>)[field] === undefined;
}
