import { z } from "zod";
import { atMost, atMostBytes, limitIssue, wellFormed } from "./checks.ts";
import { callerIdSchema } from "./ids.ts";
import { exceedsBytes, LIMITS } from "./limits.ts";

/** Keys are chosen by users: objects of this kind have no prototype inside the service. */
export type Emotives = Record<string, number>;

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | JsonValue[]
  | { [key: string]: JsonValue };

/** Keys are chosen by users: objects of this kind have no prototype inside the service. */
export type Metadata = Record<string, JsonValue>;

/** One event of short-term memory: symbols observed together, in stored order. */
export type Event = string[];

const symbolSchema = z.string().check(wellFormed, atMostBytes("symbolBytes"));

function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

type Report = (problem: string | ReturnType<typeof limitIssue>, path?: PropertyKey[]) => void;

/**
 * An object whose keys users choose, copied onto one without prototype. `z.record` would not do:
 * it drops the key `__proto__` without a word.
 */
export function userMap<T>(
  read: (entries: Record<string, unknown>, report: Report) => Record<string, T>,
) {
  return z.unknown().transform((value, context): Record<string, T> => {
    const report: Report = (problem, path = []) => {
      context.issues.push(
        typeof problem === "string"
          ? { code: "custom", input: value, path, message: problem }
          : { ...problem, path },
      );
    };
    if (isRecord(value)) return read(value, report);
    report("expected an object");
    return z.NEVER;
  }) as unknown as z.ZodType<Record<string, T>, Record<string, T>>;
}

export const emotivesSchema = userMap<number>((entries, report) => {
  const emotives: Emotives = Object.create(null);
  const names = Object.keys(entries);
  if (names.length > LIMITS.emotivesPerObservation.max) {
    report(limitIssue("emotivesPerObservation", names.length));
    return emotives;
  }
  for (const name of names) {
    const value = entries[name];
    if (!name.isWellFormed()) report("an emotive's name must be well-formed Unicode", [name]);
    else if (exceedsBytes(name, LIMITS.symbolBytes.max))
      report(limitIssue("symbolBytes", name), [name]);
    else if (typeof value === "number" && Number.isFinite(value)) emotives[name] = value;
    else report("an emotive must be a finite number", [name]);
  }
  return emotives;
});

export const metadataSchema = userMap<JsonValue>((entries, report) => {
  const problem = findMetadataProblem(entries, []);
  if (problem !== undefined) {
    report(problem.rule, problem.path);
    return Object.create(null);
  }
  if (exceedsBytes(JSON.stringify(entries), LIMITS.metadataBytes.max)) {
    report(limitIssue("metadataBytes", "an object"));
  }
  return Object.assign(Object.create(null), entries);
});

type MetadataProblem = { rule: string | ReturnType<typeof limitIssue>; path: PropertyKey[] };

/** The first value in metadata that is not JSON, or is nested too deep. Never recurses past the limit. */
function findMetadataProblem(value: unknown, path: PropertyKey[]): MetadataProblem | undefined {
  if (typeof value === "string") {
    return value.isWellFormed()
      ? undefined
      : { rule: "a string must be well-formed Unicode", path };
  }
  if (value === null || typeof value === "boolean") return undefined;
  if (typeof value === "number") {
    return Number.isFinite(value) ? undefined : { rule: "a number must be finite", path };
  }
  if (!Array.isArray(value) && !isRecord(value)) return { rule: "expected a JSON value", path };
  if (path.length >= LIMITS.metadataDepth.max) {
    return { rule: limitIssue("metadataDepth", "an object"), path };
  }
  for (const [key, item] of Object.entries(value)) {
    if (!key.isWellFormed())
      return { rule: "a key must be well-formed Unicode", path: [...path, key] };
    const problem = findMetadataProblem(item, [...path, Array.isArray(value) ? Number(key) : key]);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const stringsSchema = z.array(symbolSchema).check(atMost("symbolsPerObservation"));
const vectorsSchema = z
  .array(z.array(z.number()).check(atMost("vectorNumbers")))
  .check(atMost("vectorsPerObservation"));

/** The fields of one observation; all may be absent (an empty observation only advances `time`). */
export const observationFields = {
  strings: stringsSchema.optional(),
  vectors: vectorsSchema.optional(),
  emotives: emotivesSchema.optional(),
  metadata: metadataSchema.optional(),
  /** Makes the observation safe to repeat: a second one with the same id changes nothing. */
  observationId: callerIdSchema.optional(),
};

export const observationSchema = z.strictObject(observationFields);
export type ObservationInput = z.infer<typeof observationSchema>;
