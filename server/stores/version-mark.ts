import { randomBytes } from "node:crypto";

/** 72 random bits, which no other process has, nor this worker when it starts again. */
const PREFIX = randomBytes(9).toString("base64url");
let drawn = 0;

/** A mark for a session's version (`SessionState.mark`) that is never drawn again; some 15 characters. */
export function drawVersionMark(): string {
  drawn += 1;
  return PREFIX + drawn.toString(36);
}
