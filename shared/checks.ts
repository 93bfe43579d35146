import type { LimitName } from "./limits.ts";
import { exceedsBytes, LIMITS } from "./limits.ts";

/** What a zod 4 check sees and reports into. */
type CheckContext<T> = { value: T; issues: object[] };

/** Refuses lone surrogates: they have no UTF-8 form, so they could be neither stored nor hashed faithfully. */
export function wellFormed(context: CheckContext<string>): void {
  if (!context.value.isWellFormed()) {
    context.issues.push({
      code: "custom",
      input: context.value,
      message: "a string must be well-formed Unicode (no lone surrogates)",
    });
  }
}

/** An issue that the service answers with LIMIT_EXCEEDED instead of INVALID_INPUT. */
export function limitIssue(limit: LimitName, input: unknown, path: PropertyKey[] = []) {
  const { max, meaning } = LIMITS[limit];
  return {
    code: "custom" as const,
    input,
    path,
    params: { limit, max },
    message: `at most ${max.toLocaleString("en")} ${meaning}`,
  };
}

/** A check for arrays: more than the named limit's items are LIMIT_EXCEEDED. */
export function atMost(limit: LimitName) {
  return (context: CheckContext<readonly unknown[]>): void => {
    if (context.value.length > LIMITS[limit].max) {
      context.issues.push(limitIssue(limit, context.value.length));
    }
  };
}

/** A check for texts: more than the named limit's UTF-8 bytes are LIMIT_EXCEEDED. */
export function atMostBytes(limit: LimitName) {
  return (context: CheckContext<string>): void => {
    if (exceedsBytes(context.value, LIMITS[limit].max)) {
      context.issues.push(limitIssue(limit, context.value));
    }
  };
}
