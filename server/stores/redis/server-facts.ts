/** `INFO` field by field. */
export function parseInfo(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon > 0 && !line.startsWith("#")) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

/** The answer to `CONFIG GET`: an array of names and values in turn, or an object. */
export function parseConfig(reply: unknown): ReadonlyMap<string, string> {
  if (!Array.isArray(reply)) {
    return new Map(Object.entries(reply as object).map(([name, value]) => [name, String(value)]));
  }
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < reply.length; i += 2)
    pairs.push([String(reply[i]), String(reply[i + 1])]);
  return new Map(pairs);
}

/** What a server says of itself; undefined where it does not permit the question. */
export type ServerFacts = {
  /** `INFO`, field by field. */
  info: ReadonlyMap<string, string> | undefined;
  /** `CONFIG GET` of what `INFO` does not tell. */
  config: ReadonlyMap<string, string> | undefined;
};
