/** A string of a JSON text, and the colon that makes it a key. */
const STRINGS = /"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?/g;

/**
 * JSON.parse without a bug of V8 12.8 and later (nodejs/node#63785): once an object with the key
 * "\\" was parsed, in another call too, "\n" in the same place of another object is read as "\\";
 * in general a key with an escape as that key which its source begins with. So keys with escapes are
 * parsed under other names and renamed after. Linear; costs more only where there is a backslash.
 *
 * @throws SyntaxError, and RangeError where an object with such a key lies some thousand levels deep
 */
export function parseJson(text: string): unknown {
  if (!text.includes("\\")) return JSON.parse(text);
  const mark = unusedMark(text);
  const keys: string[] = [];
  const renamed = text.replaceAll(STRINGS, (string, content: string, colon?: string) => {
    if (colon === undefined || !content.includes("\\")) return string;
    keys.push(JSON.parse(`"${content}"`) as string);
    return `"${mark}${keys.length - 1}"${colon}`;
  });
  if (keys.length === 0) return JSON.parse(text);
  return JSON.parse(renamed, (_, value: unknown) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    const entries = Object.entries(value);
    if (!entries.some(([name]) => name.startsWith(mark))) return value;
    // From entries, since assigning to `__proto__` would set the prototype.
    return Object.fromEntries(
      entries.map(([name, item]) => [
        name.startsWith(mark) ? keys[Number(name.slice(mark.length))] : name,
        item,
      ]),
    );
  });
}

/** Random, so that nobody can send texts in which it takes long to find one. */
function unusedMark(text: string): string {
  for (;;) {
    const mark = `key${Math.random()}:`;
    if (!text.includes(mark)) return mark;
  }
}
