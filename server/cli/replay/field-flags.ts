import type { Flag, Flags } from "../command.ts";
import { findText } from "../flag-values.ts";
import type { GivenNames } from "./field-names.ts";

/** Flags that name the fields of an event log. */
export const FIELD_FLAGS: Readonly<Record<"case" | "activity" | "timestamp", Flag>> = {
  case: { value: "NAME", meaning: "field that holds the case, if not one of the usual names" },
  activity: { value: "NAME", meaning: "field that holds the activity" },
  timestamp: { value: "NAME", meaning: "field that holds the timestamp" },
};

export function readNames(flags: Flags): GivenNames {
  const names: Record<string, string> = {};
  for (const part of Object.keys(FIELD_FLAGS)) {
    const name = findText(flags, part);
    if (name !== undefined) names[part] = name;
  }
  return names;
}
