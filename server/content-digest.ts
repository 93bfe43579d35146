import { hash } from "node:crypto";
import { ServiceError } from "@kato-rpc/shared/errors.ts";

/** 132 bits in base64url: no two contents that callers meet have the same. */
const DIGEST_CHARACTERS = 22;

/**
 * What a call asks for, in short, to tell a repeat of it from another call under the same id. `content` is JSON; the
 * order of keys makes no difference, that of items does.
 */
export function digestOf(content: unknown): string {
  return hash("sha256", JSON.stringify(inKeyOrder(content)), "base64url").slice(
    0,
    DIGEST_CHARACTERS,
  );
}

/** @throws ServiceError INVALID_INPUT with both digests; nothing of the second call may have been written */
export function refuseOtherContent(
  id: string,
  digests: { remembered: string | null | undefined; given: string | undefined },
  where: { sessionId?: string; nodeId?: string },
): void {
  const { remembered, given } = digests;
  // Of an id that the service made there is no digest: the caller who repeats it can only have it from the reply.
  if (remembered == null || given === undefined || remembered === given) return;
  throw new ServiceError(
    "INVALID_INPUT",
    `the id ${id} was given before to a call with other content; nothing was changed: repeat that call as it was, or give this one an id of its own`,
    { ...where, reason: "ID_REUSED", digests: { remembered, given } },
  );
}

/** As given where no object stands in it: most content is lists of texts, which need no copy. */
function inKeyOrder(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    return value.some((item) => typeof item === "object" && item !== null)
      ? value.map(inKeyOrder)
      : value;
  }
  // Without a prototype, so that any key is a key.
  const sorted: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(value).sort()) {
    sorted[key] = inKeyOrder((value as Record<string, unknown>)[key]);
  }
  return sorted;
}
