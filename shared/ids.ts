import { z } from "zod";
import { wellFormed } from "./checks.ts";
import { exceedsBytes, LIMITS } from "./limits.ts";

const ID_PATTERN = /^[A-Za-z0-9._~:-]+$/;

/** An id that a caller gives: 1 to 128 characters of `A-Za-z0-9._~:-`. */
export const callerIdSchema = z
  .string()
  .min(1)
  .max(LIMITS.idCharacters.max)
  .regex(ID_PATTERN, "only A-Z a-z 0-9 . _ ~ : - may stand in an id");

/** Ids the service made; any text is accepted here, since an unknown one is simply not found. */
export const sessionIdSchema = z.string().min(1).max(LIMITS.idCharacters.max).check(wellFormed);

/** A node is exactly the id given: any well-formed text, the empty one included. */
export const nodeIdSchema = z
  .string()
  .check(wellFormed)
  .check((context) => {
    if (exceedsBytes(context.value, LIMITS.nodeIdBytes.max)) {
      context.issues.push({
        code: "too_big",
        origin: "string",
        maximum: LIMITS.nodeIdBytes.max,
        input: context.value,
        message: `a node id has at most ${LIMITS.nodeIdBytes.max} UTF-8 bytes`,
      });
    }
  });

/** A page's size; `limit` over the bound is refused rather than cut. */
export const pageLimitSchema = z.int().min(1).max(LIMITS.pageItems.max);

/** Continues a list where an earlier page ended; opaque to callers. */
export const cursorSchema = z.string().min(1).max(2_048).check(wellFormed);

export const ttlSecondsSchema = z.int().min(1).max(LIMITS.ttlSeconds.max);

/** What the reply to a repeat says: it is the first one (of a creation, the session as it is now), and nothing changed. */
export type Replayed = { replayed?: true };
