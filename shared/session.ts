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
import type { Replayed } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import type { NextList } from "./next.ts";
import type { Emotives, Event, Metadata } from "./observation.ts";
import { metadataSchema, observationFields, observationSchema } from "./observation.ts";
import type { Prediction, PredictionList } from "./prediction.ts";
import type { SessionConfig } from "./session-config.ts";
import { predictionOverridesSchema, sessionConfigPatchSchema } from "./session-config.ts";

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

export const deleteInputSchema = z.strictObject({ sessionId, requestId });

export const clearStmInputSchema = z.strictObject({ sessionId, requestId });

export const extendInputSchema = z.strictObject({
  sessionId,
  ttlSeconds: ttlSecondsSchema.optional(),
  requestId,
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
  predict: z.boolean().optional(),
});

export const observeSequenceInputSchema = z.strictObject({
  sessionId,
  observations: z.array(observationSchema).check(atMost("observationsPerSequence")),
  learnAfterEach: z.boolean().optional(),
  learnAtEnd: z.boolean().optional(),
  clearStmBetween: z.boolean().optional(),
  requestId,
});

export const learnInputSchema = z.strictObject({ sessionId, requestId });

export const predictInputSchema = z.strictObject({
  sessionId,
  overrides: predictionOverridesSchema.optional(),
});

export const nextInputSchema = z.strictObject({
  sessionId,
  /** Events listed at most; without it `maxPredictions`, where session or overrides set it, else 10. */
  k: z.int().min(1).max(LIMITS.nextEvents.max).optional(),
  /** How many events ahead; 1, the next, unless given. */
  horizon: z.int().min(1).max(LIMITS.nextHorizon.max).optional(),
  /** Those of `predict`; `maxPredictions` alone has an effect, as the distribution follows no setting. */
  overrides: predictionOverridesSchema.optional(),
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

/** What `observe` answers; times count the observations since the session began or was cleared. */
export type ObserveReply = {
  sessionId: string;
  nodeId: string;
  observationId: string;
  /** The session's time after this observation: 1, 2, 3, … */
  time: number;
  /** Events in short-term memory after this observation. */
  stmLength: number;
  /** `PTRN|<sha1>` of the pattern that this observation completed, or null. */
  learned: string | null;
  /** True when this id was observed before: the reply is the first one, nothing changed. */
  replayed: boolean;
  /**
   * Where `predict` was asked for: what the node's patterns said of short-term memory with this observation, before a
   * learn that it caused. Empty while `processPredictions` is off; absent from a replay once short-term memory moved on.
   */
  predictions?: Prediction[];
};

/** As the session is now, also in the reply to a repeat. */
export type CreateReply = SessionInfo & Replayed;

export type ExtendReply = { expiresAt: Date; ttlSeconds: number } & Replayed;

/** False where there was no live session to delete. */
export type DeleteReply = { deleted: boolean } & Replayed;

export type ClearStmReply = { cleared: true } & Replayed;

/** All settings as they apply then. */
export type ConfigureReply = { config: SessionConfig } & Replayed;

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

export type LearnReply = {
  sessionId: string;
  nodeId: string;
  /** `PTRN|<sha1>`, or null when nothing was learned. */
  learned: string | null;
  /** How often the pattern has been learned, this time included; 0 when nothing was. */
  frequency: number;
  /** Why nothing was learned: a pattern has two symbols at least. Short-term memory is empty all the same. */
  reason?: "TOO_FEW_SYMBOLS";
  /** True when this request was made before: the reply is the first one, nothing changed. */
  replayed: boolean;
};

export type PredictReply = { sessionId: string; nodeId: string; time: number } & PredictionList;

export type NextReply = { sessionId: string; nodeId: string; time: number } & NextList;

/** What a session has in mind. */
export type Cognition = {
  sessionId: string;
  nodeId: string;
  /** Of short-term memory, by the session's settings; empty after an empty observation or while `processPredictions` is off. */
  predictions: Prediction[];
  /** Those of the newest observation that had any. */
  emotives: Emotives;
  /** All symbols of short-term memory, in order. */
  symbols: string[];
  stm: Event[];
  time: number;
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
