import { randomBytes } from "node:crypto";

const DRAWN_BYTES = 4_096;
const BYTES = 16;

/** Of random bytes, drawn many at a time. */
let digits = "";
let used = 0;

/** 128 random bits as 32 hexadecimal digits. */
export function drawHex(): string {
  if (used === digits.length) {
    digits = randomBytes(DRAWN_BYTES).toString("hex");
    used = 0;
  }
  used += 2 * BYTES;
  return digits.slice(used - 2 * BYTES, used);
}
