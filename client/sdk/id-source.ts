/**
 * Makes ids that no other source makes: 128 random bits drawn once, then a count. Not
 * `crypto.randomUUID`, which browsers have on secure pages only.
 */
export function createIdSource(): () => string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const prefix = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}-${count}`;
  };
}
