import type { ErrorCode, ErrorDetails } from "@kato-rpc/shared/errors.ts";
import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { Event } from "@kato-rpc/shared/observation.ts";
import type { PredictionSettings } from "@kato-rpc/shared/prediction.ts";
import type { NextQuestion } from "../engine/next/next-events.ts";
import type { Neighbour } from "../engine/vector-index.ts";
import type { FinalizedAt, LogEntry, NodeRows } from "../stores/node-store.ts";

/** Rows of one kind, and the number of the log at which they stand. */
export type LoadedPage = {
  [Kind in keyof NodeRows]: { rowsOf: Kind; number: number; rows: NodeRows[Kind][] };
}[keyof NodeRows];

export type Nearest = { dimension: number | undefined; neighbours: Neighbour[][] };

/** What is asked of the events to come: how far ahead, and how many of them. */
export type NextAsked = Omit<NextQuestion, "interrupt">;

/** A time after which no answer is wanted: by the clock that all threads of the process read (steady-clock.ts). */
type Deadline = { deadlineAt: number };

/** What the thread can be told and asked about a replica, by kind; rows and log entries are not parsed on the way. */
export type ReplicaCalls = {
  /** A new replica is to be loaded: pages, then the log from the head's position on, then `finish`. */
  begin: { call: { finalized: FinalizedAt | null }; reply: null };
  page: { call: { page: LoadedPage }; reply: null };
  /** false: what is being loaded is outdated, and is to be loaded anew. */
  replay: { call: { entries: LogEntry[] }; reply: boolean };
  /** Gives the number of patterns. */
  finish: { call: object; reply: number };
  apply: { call: { entries: LogEntry[] }; reply: null };
  /** Gives the JSON of a PredictionList. */
  predict: {
    call: Deadline & { stm: readonly Event[]; settings: PredictionSettings };
    reply: string;
  };
  /** Gives the JSON of a NextList. */
  next: {
    call: Deadline & NextAsked & { stm: readonly Event[] };
    reply: string;
  };
  nearest: {
    call: Deadline & { vectors: readonly (readonly number[])[]; count: number };
    reply: Nearest;
  };
  drop: { call: object; reply: null };
};

export type CallKind = keyof ReplicaCalls;

/** `replica` is a number that is never used again for another. */
export type ReplicaCall<Kind extends CallKind = CallKind> = {
  [Each in Kind]: { kind: Each; replica: number } & ReplicaCalls[Each]["call"];
}[Kind];

export type ReplyOf<Kind extends CallKind> = ReplicaCalls[Kind]["reply"];

export type CallMessage = { id: number; call: ReplicaCall };

/** `bytes`: what the replica takes after the call. */
export type ReplyMessage = { id: number; replica: number; bytes: number } & (
  | { value: ReplyOf<CallKind> }
  | { failure: Failure }
);

/** An error as it crosses threads, where an object loses its class. */
export type Failure = {
  /** null for anything but a ServiceError. */
  code: ErrorCode | null;
  message: string;
  details: ErrorDetails;
  stack: string | undefined;
};

export function failureOf(thrown: unknown): Failure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { message, stack } = error;
  return error instanceof ServiceError
    ? { code: error.code, message, details: error.details, stack }
    : { code: null, message, details: {}, stack };
}

export function errorOf({ code, message, details, stack }: Failure): Error {
  const error = code === null ? new Error(message) : new ServiceError(code, message, details);
  if (stack !== undefined) error.stack = stack;
  return error;
}
