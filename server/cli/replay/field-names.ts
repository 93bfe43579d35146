import { UsageError } from "../usage-error.ts";

/** The parts of an event, and the names they are known by, in any case and with any of " _-" between words. */
const KNOWN_NAMES = {
  case: ["case", "caseid", "case:concept:name"],
  activity: ["activity", "activityid", "concept:name", "event"],
  timestamp: ["timestamp", "completetimestamp", "time", "time:timestamp"],
} as const;

type Part = keyof typeof KNOWN_NAMES;

export type FieldNames = Readonly<Record<Part, string>>;

/** Names given on the command line. */
export type GivenNames = Readonly<Partial<Record<Part, string>>>;

/** Which of a log's fields hold case, activity and timestamp. @throws UsageError when one is missing */
export function findFieldNames(fields: readonly string[], given: GivenNames): FieldNames {
  const names: Partial<Record<Part, string>> = {};
  const missing: Part[] = [];
  for (const part of Object.keys(KNOWN_NAMES) as Part[]) {
    const name = findName(fields, part, given[part]);
    if (name === undefined) missing.push(part);
    else names[part] = name;
  }
  if (missing.length > 0) throw missingFields(missing, fields, given);
  return names as FieldNames;
}

function findName(
  fields: readonly string[],
  part: Part,
  given: string | undefined,
): string | undefined {
  if (given !== undefined) {
    return (
      fields.find((field) => field === given) ??
      fields.find((field) => normalise(field) === normalise(given))
    );
  }
  for (const known of KNOWN_NAMES[part]) {
    const field = fields.find((name) => normalise(name) === known);
    if (field !== undefined) return field;
  }
  return undefined;
}

function normalise(field: string): string {
  return field.toLowerCase().replaceAll(/[\s_-]/g, "");
}

function missingFields(
  missing: readonly Part[],
  fields: readonly string[],
  given: GivenNames,
): UsageError {
  const wanted = missing.map((part) => {
    const name = given[part];
    return name === undefined ? `--${part} NAME` : `--${part}, not ${JSON.stringify(name)}`;
  });
  const found = fields.slice(0, 20).map((field) => JSON.stringify(field.slice(0, 80)));
  return new UsageError(
    `the log has no ${missing.join(", no ")}: its fields are ${found.join(", ")}; name them with ${wanted.join(", ")}`,
  );
}
