import { z } from "zod";
import { atMost, atMostBytes, limitIssue, wellFormed } from "./checks.ts";
import type { Replayed } from "./ids.ts";
import { callerIdSchema, cursorSchema, nodeIdSchema, pageLimitSchema } from "./ids.ts";
import { exceedsBytes, LIMITS } from "./limits.ts";
import type { Emotives, Event } from "./observation.ts";
import { emotivesSchema, userMap } from "./observation.ts";

export const listNodesInputSchema = z
  .strictObject({ cursor: cursorSchema.optional(), limit: pageLimitSchema.optional() })
  .optional();

export const nodeInputSchema = z.strictObject({ nodeId: nodeIdSchema });

/** Makes a mutation safe to repeat. */
const requestId = callerIdSchema.optional();

/** Of what changes all of a node. */
export const changeNodeInputSchema = z.strictObject({ nodeId: nodeIdSchema, requestId });

export const listPatternsInputSchema = z.strictObject({
  nodeId: nodeIdSchema,
  cursor: cursorSchema.optional(),
  limit: pageLimitSchema.optional(),
});

/** A pattern's name with or without its prefix. */
const patternNameSchema = z
  .string()
  .regex(/^(PTRN\|)?[0-9a-f]{40}$/, "a pattern is named PTRN| and 40 hex digits");

export const patternInputSchema = z.strictObject({ nodeId: nodeIdSchema, name: patternNameSchema });

export const forgetInputSchema = z.strictObject({
  nodeId: nodeIdSchema,
  name: patternNameSchema,
  requestId,
});

/** Per key a list of texts, as patterns keep metadata. */
const patternMetadataSchema = userMap<string[]>((entries, report) => {
  const metadata: Record<string, string[]> = Object.create(null);
  for (const [key, texts] of Object.entries(entries)) {
    if (!key.isWellFormed()) report("a key must be well-formed Unicode", [key]);
    else if (!Array.isArray(texts) || !texts.every((text) => typeof text === "string")) {
      report("expected a list of texts", [key]);
    } else if (!texts.every((text) => text.isWellFormed())) {
      report("a string must be well-formed Unicode", [key]);
    } else metadata[key] = texts;
  }
  if (exceedsBytes(JSON.stringify(metadata), LIMITS.metadataBytes.max)) {
    report(limitIssue("metadataBytes", "an object"));
  }
  return metadata;
});

export const correctInputSchema = z
  .strictObject({
    nodeId: nodeIdSchema,
    name: patternNameSchema,
    frequency: z.int().min(1).max(1e12).optional(),
    /** The window kept, oldest first. */
    emotives: z.array(emotivesSchema).max(100).optional(),
    metadata: patternMetadataSchema.optional(),
    requestId,
  })
  .refine(
    ({ frequency, emotives, metadata }) =>
      frequency !== undefined || emotives !== undefined || metadata !== undefined,
    { path: ["frequency"], error: "give at least one of frequency, emotives and metadata" },
  );

export const listSymbolsInputSchema = z.strictObject({
  nodeId: nodeIdSchema,
  /** Only these, in this order; without, all that patterns have, in code point order. */
  symbols: z
    .array(z.string().check(wellFormed, atMostBytes("symbolBytes")))
    .check(atMost("pageItems"))
    .optional(),
  cursor: cursorSchema.optional(),
  limit: pageLimitSchema.optional(),
});

/** A node known to the service: one on which a session was created. */
export type NodeSummary = { nodeId: string; activeSessions: number };

/** Ordered by an internal key; `nextCursor` is null on the last page. */
export type NodePage = { items: NodeSummary[]; nextCursor: string | null };

export type NodeStats = {
  nodeId: string;
  /** Distinct patterns. */
  patterns: number;
  /** Distinct symbols in them. */
  symbols: number;
  /** Learns of all patterns: the sum of their frequencies. */
  frequencies: number;
  /** Symbols of all patterns, each pattern counted as often as it was learned. */
  symbolOccurrences: number;
  vectors: number;
  /** Live sessions. */
  sessions: number;
  /** UTF-8 bytes of all patterns' events as JSON. */
  bytes: number;
};

export type Pattern = {
  /** `PTRN|<sha1>`. */
  name: string;
  events: Event[];
  /** Symbols in all events. */
  length: number;
  frequency: number;
  /** The newest maps learned, oldest first. */
  emotives: Emotives[];
  /** Per key the distinct texts of its values in code point order. */
  metadata: Record<string, string[]>;
};

/** The pattern as the correction left it. */
export type CorrectReply = Pattern & Replayed;

export type ForgetReply = { forgotten: true } & Replayed;

/** How many patterns were finalized. */
export type FinalizeReply = { patterns: number } & Replayed;

export type ClearNodeReply = { cleared: true } & Replayed;

/** In the order of their first learn; `nextCursor` is null on the last page. */
export type PatternPage = { items: Pattern[]; nextCursor: string | null };

export type NodeSymbol = {
  symbol: string;
  /** Occurrences in every learn of every pattern. */
  frequency: number;
  /** Patterns that have the symbol. */
  patternMemberFrequency: number;
  /** Per emotive the sum that learns have brought. */
  affinity: Emotives;
};

export type SymbolPage = { items: NodeSymbol[]; nextCursor: string | null };
