import { createHash } from "node:crypto";

import { eventsText } from "./python-text.ts";

const PREFIX = "PTRN|";

/**
 * What identifies a pattern, and its name inside a prediction: 40 hex digits, the SHA-1 of the UTF-8 text of its
 * events (engine.md §6.1). Events, their order and their grouping decide it; nothing else does.
 */
export function patternHash(events: readonly (readonly string[])[]): string {
  return createHash("sha1").update(eventsText(events), "utf8").digest("hex");
}

/** The name of a pattern wherever it is named outside a prediction. */
export function patternName(hash: string): string {
  return PREFIX + hash;
}

/** The hash in a name with or without its prefix; undefined when the text is no name. */
export function parsePatternName(name: string): string | undefined {
  const hash = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
  return /^[0-9a-f]{40}$/.test(hash) ? hash : undefined;
}
