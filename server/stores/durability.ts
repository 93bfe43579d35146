/**
 * When a change is acknowledged: at once, when so many replicas have it as well, or when it is on the
 * disk of the server that took it.
 */
export type Durability =
  | { readonly kind: "fast" }
  | { readonly kind: "replicated"; readonly replicas: number }
  | { readonly kind: "fsync" };

export const FAST: Durability = { kind: "fast" };

const MOST_REPLICAS = 16;

/** Reads `fast`, `replicated:N` or `fsync`; undefined for any other text. */
export function parseDurability(text: string): Durability | undefined {
  if (text === "fast" || text === "fsync") return { kind: text };
  const [, count = ""] = /^replicated:(\d{1,2})$/.exec(text) ?? [];
  const replicas = Number(count);
  return replicas >= 1 && replicas <= MOST_REPLICAS ? { kind: "replicated", replicas } : undefined;
}

export function describeDurability(durability: Durability): string {
  return durability.kind === "replicated" ? `replicated:${durability.replicas}` : durability.kind;
}

/** What is in force, as the store finds it now. */
export type DurabilityState = {
  /** As `KATO_DURABILITY` spells it. */
  setting: string;
  /** What of the acknowledged a fault may lose, in words. */
  window: string;
  /** What makes it wider than it need be, or keeps changes from being acknowledged. */
  warnings: string[];
};

/** The store is not set up for the durability asked for: a wrong setting, not an outage. */
export class DurabilityError extends Error {
  override readonly name = "DurabilityError";

  constructor(durability: Durability, reason: string) {
    super(`KATO_DURABILITY=${describeDurability(durability)}: ${reason}`);
  }
}
