import { hash, randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";

/*
 * A session id is `<node tag>-<128 random bits>`, each part 22 characters of A-Za-z0-9.~ (base64url
 * with `.` for `-` and `~` for `_`). The tag is 128 bits of SHA-256 of the node id: any worker finds
 * the node's slot from the session id alone, and no character of a node id can break a key.
 */
const SESSION_ID = /^[A-Za-z0-9.~]{22}-[A-Za-z0-9.~]{22}$/;
const TAG_LENGTH = 22;

function encode(bytes: Buffer): string {
  return bytes.toString("base64url").replaceAll("-", ".").replaceAll("_", "~");
}

/** Of the nodes called last: to compute one takes longer than much else of a call. */
const tags = new LRUCache<string, string>({ max: 1_000 });

export function nodeTag(nodeId: string): string {
  const known = tags.get(nodeId);
  if (known !== undefined) return known;
  const tag = encode(hash("sha256", nodeId, "buffer").subarray(0, 16));
  tags.set(nodeId, tag);
  return tag;
}

/** `random`: 16 bytes that nobody else draws. */
export function createSessionId(nodeId: string, random: Buffer = randomBytes(16)): string {
  return `${nodeTag(nodeId)}-${encode(random)}`;
}

/** Whether this service can have made it. */
export function isSessionId(text: string): boolean {
  return SESSION_ID.test(text);
}

/** The parts of a session id; undefined for a text that this service cannot have made. */
export function parseSessionId(sessionId: string): { tag: string; suffix: string } | undefined {
  if (!isSessionId(sessionId)) return undefined;
  return { tag: sessionId.slice(0, TAG_LENGTH), suffix: sessionId.slice(TAG_LENGTH + 1) };
}
