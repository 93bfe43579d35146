import type { Emotives, Event, Metadata } from "@kato-rpc/shared/observation.ts";
import type { Prediction, PredictionList } from "@kato-rpc/shared/prediction.ts";
import type { SessionConfigPatch } from "@kato-rpc/shared/session-config.ts";

export type Observed = {
  strings: string[];
  vectors: number[][];
  emotives: Emotives;
  metadata: Metadata;
};

export type ObservedReply = { time: number; stmLength: number; learned: string | null };

export type SequenceOptions = {
  learnAfterEach: boolean;
  learnAtEnd: boolean;
  clearStmBetween: boolean;
};

export type SequenceReply = {
  results: ObservedReply[];
  learned: string[];
  finalLearned: string | null;
  initialStmLength: number;
  finalStmLength: number;
};

export type PatternReply = {
  name: string;
  events: Event[];
  length: number;
  frequency: number;
  emotives: Emotives[];
  metadata: Record<string, string[]>;
};

export type SymbolReply = {
  symbol: string;
  frequency: number;
  patternMemberFrequency: number;
  affinity: Emotives;
};

export type PerceptReply = {
  strings: string[];
  vectors: number[][];
  emotives: Emotives;
  metadata: Metadata;
};

export type CognitionReply = {
  symbols: string[];
  emotives: Emotives;
  time: number;
  predictions: Prediction[];
};

/**
 * What plays a golden case: one engine or service, empty at first, that knows sessions by the names of the case. A call
 * that is refused rejects with an error whose `code` is one of the service's.
 */
export interface GoldenDriver {
  createSession(session: string, node: string, config: SessionConfigPatch): Promise<void>;
  configure(session: string, config: SessionConfigPatch): Promise<void>;
  observe(session: string, observation: Observed): Promise<ObservedReply>;
  observeSequence(
    session: string,
    observations: Observed[],
    options: SequenceOptions,
  ): Promise<SequenceReply>;
  learn(session: string): Promise<{ learned: string | null }>;
  /** Observes each sequence event by event and learns it; gives the names in order. */
  train(session: string, sequences: Event[][]): Promise<(string | null)[]>;
  stm(session: string): Promise<Event[]>;
  predict(session: string): Promise<PredictionList>;
  clearStm(session: string): Promise<void>;
  /** Clears the long-term memory of the session's node. */
  clearNode(session: string): Promise<void>;
  finalize(session: string): Promise<{ patterns: number }>;
  /** undefined when the session's node has no such pattern. */
  pattern(session: string, name: string): Promise<PatternReply | undefined>;
  /** Every symbol that the session's node knows. */
  symbols(session: string): Promise<SymbolReply[]>;
  percept(session: string): Promise<PerceptReply>;
  cognition(session: string): Promise<CognitionReply>;
}
