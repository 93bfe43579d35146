import type { Platform } from "./platform.ts";

/**
 * Makes ids that no other source makes: 128 random bits drawn once, then a count. Not
 * `crypto.randomUUID`, which browsers have on secure pages only.
 */
export function createIdSource({ randomBytes }: Pick<Platform, "randomBytes">): () => string {
  const prefix = Array.from(randomBytes(), (byte) => byte.toString(16).padStart(2, "0")).join("");
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}-${count}`;
  };
}
