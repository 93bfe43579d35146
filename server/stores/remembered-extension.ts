import type { Extended, IdentifiedRequest } from "./session-store.ts";

/** What is remembered of an extension, in the form of what is remembered of any call with content. */
export type RememberedExtension = [digest: string, [expiresAt: number, ttlSeconds: number]];

export function rememberExtension(
  { digest }: IdentifiedRequest,
  { expiresAt, ttlSeconds }: Extended,
): RememberedExtension {
  return [digest, [expiresAt, ttlSeconds]];
}

export function readExtension(remembered: unknown): Extended {
  const [firstDigest, [expiresAt, ttlSeconds]] = remembered as RememberedExtension;
  return { expiresAt, ttlSeconds, firstDigest };
}
