import { z } from "zod";
import {
  callerIdSchema,
  cursorSchema,
  nodeIdSchema,
  pageLimitSchema,
  sessionIdSchema,
  ttlSecondsSchema,
} from "./ids.ts";
import { atMost } from "./checks.ts";
import type { Emotives, Event, Metadata, ObserveReply } from "./observation.ts";
import { metadataSchema, observationFields, observationSchema } from "./observation.ts";
import type { SessionConfig } from "./session-config.ts";
import { sessionConfigPatchSchema } from "./session-config.ts";

/** Inputs of the `session.*` procedures. Every mutation takes an id that makes it safe to repeat. */
const requestId = callerIdSchema.optional();
const sessionId = sessionIdSchema;

export const createInputSchema = z.strictObject({
  nodeId: nodeIdSchema,
  config: sessionConfigPatchSchema.optional(),
  metadata: metadataSchema.optional(),
  ttlSeconds: ttlSecondsSchema.optional(),
  requestId,
});

export const sessionInputSchema = z.strictObject({ sessionId });

export const clearStmInputSchema = z.strictObject({ sessionId, requestId });

export const extendInputSchema = z.strictObject({
  sessionId,
  ttlSeconds: ttlSecondsSchema.optional(),
});

export const configureInputSchema = z.strictObject({
  sessionId,
  config: sessionConfigPatchSchema,
  requestId,
});

export const listSessionsInputSchema = z.strictObject({
  nodeId: nodeIdSchema.optional(),
  cursor: cursorSchema.optional(),
  limit: pageLimitSchema.optional(),
});

export const countSessionsInputSchema = z.strictObject({ nodeId: nodeIdSchema.optional() });

export const observeInputSchema = z.strictObject({
  sessionId,
  ...observationFields,
  expectedTime: z.int().min(0).optional(),
});

export const observeSequenceInputSchema = z.strictObject({
  sessionId,
  observations: z.array(observationSchema).check(atMost("observationsPerSequence")),
  clearStmBetween: z.boolean().optional(),
  requestId,
});

/** Outputs. */
export type SessionInfo = {
  sessionId: string;
  nodeId: string;
  createdAt: Date;
  expiresAt: Date;
  /** The session's own time to live; what remains of it is in `expiresAt`. */
  ttlSeconds: number;
  metadata: Metadata;
  config: SessionConfig;
  time: number;
  stmLength: number;
};

export type SessionPage = { items: SessionInfo[]; nextCursor: string | null };

export type ObserveSequenceReply = {
  sessionId: string;
  nodeId: string;
  results: ObserveReply[];
  /** Names of the patterns learned on the way, in order. */
  learned: string[];
  finalLearned: string | null;
  initialStmLength: number;
  finalStmLength: number;
  time: number;
  replayed: boolean;
};

export type StmReply = { sessionId: string; stm: Event[]; length: number; time: number };

/** The last observation as processed; all empty before the first one and after `clearStm`. */
export type Percept = {
  sessionId: string;
  strings: string[];
  vectors: number[][];
  /** The average of the session's emotives so far, per emotive. */
  emotives: Emotives;
  path: string[];
  metadata: Metadata;
};
