import { decideAutoLearning } from "@kato-rpc/server/engine/auto-learning.ts";
import { averageEmotives } from "@kato-rpc/server/engine/emotives.ts";
import { learnPattern } from "@kato-rpc/server/engine/learning.ts";
import type { SymbolStatistics } from "@kato-rpc/server/engine/long-term-memory.ts";
import type {
  NamedVector,
  NodeChange,
  StoredPattern,
} from "@kato-rpc/server/engine/node-change.ts";
import { processObservation } from "@kato-rpc/server/engine/observation.ts";
import { parsePatternName, patternName } from "@kato-rpc/server/engine/pattern-name.ts";
import type { VectorIndex } from "@kato-rpc/server/engine/vector-index.ts";
import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { Emotives, Event, Metadata } from "@kato-rpc/shared/observation.ts";
import type {
  Prediction,
  PredictionList,
  PredictionSettings,
} from "@kato-rpc/shared/prediction.ts";
import type { SessionConfigPatch } from "@kato-rpc/shared/session-config.ts";
import {
  effectiveConfig,
  patchConfig,
  sessionConfigPatchSchema,
} from "@kato-rpc/shared/session-config.ts";
import type {
  GoldenDriver,
  Observed,
  ObservedReply,
  SequenceOptions,
  SequenceReply,
} from "./golden-driver.ts";

/** What a long-term memory must offer so that sessions can be played on it. */
export interface PlayedNode {
  apply(change: NodeChange): void;
  predict(stm: readonly Event[], settings: PredictionSettings): PredictionList;
  pattern(hash: string): StoredPattern | undefined;
  patternCount(): number;
  symbols(): Iterable<[symbol: string, statistics: SymbolStatistics]>;
  affinity(symbol: string): Emotives;
  readonly vectors: VectorIndex;
}

type Session = {
  node: PlayedNode;
  config: SessionConfigPatch;
  stm: Event[];
  emotives: Emotives[];
  metadata: Metadata[];
  waiting: NamedVector[];
  time: number;
  percept: { strings: string[]; vectors: number[][]; emotives: Emotives; metadata: Metadata };
  predictions: Prediction[];
};

const NOTHING_PERCEIVED = { strings: [], vectors: [], emotives: {}, metadata: {} };

function parseConfig(patch: SessionConfigPatch): SessionConfigPatch {
  const parsed = sessionConfigPatchSchema.safeParse(patch);
  if (parsed.success) return parsed.data;
  throw new ServiceError("INVALID_INPUT", parsed.error.message);
}

/** Sessions over the bare engine: everything in memory, one call after another, no limits and no expiry. */
export function createEngineDriver(createNode: () => PlayedNode): GoldenDriver {
  const nodes = new Map<string, PlayedNode>();
  const sessions = new Map<string, Session>();

  function get(name: string): Session {
    const session = sessions.get(name);
    if (session === undefined) throw new ServiceError("SESSION_NOT_FOUND", `no session ${name}`);
    return session;
  }

  return {
    createSession: async (name, nodeId, config) => {
      const node = nodes.get(nodeId) ?? createNode();
      nodes.set(nodeId, node);
      sessions.set(name, {
        node,
        config: patchConfig({}, parseConfig(config)),
        stm: [],
        emotives: [],
        metadata: [],
        waiting: [],
        time: 0,
        percept: NOTHING_PERCEIVED,
        predictions: [],
      });
    },
    configure: async (name, patch) => {
      const session = get(name);
      session.config = patchConfig(session.config, parseConfig(patch));
    },
    observe: async (name, observation) => observe(get(name), observation),
    observeSequence: async (name, observations, options) =>
      observeSequence(get(name), observations, options),
    learn: async (name) => ({ learned: learn(get(name)) }),
    train: async (name, sequences) =>
      sequences.map((sequence) => {
        for (const strings of sequence) {
          observe(get(name), { strings, vectors: [], emotives: {}, metadata: {} });
        }
        return learn(get(name));
      }),
    stm: async (name) => get(name).stm,
    predict: async (name) => {
      const { node, stm, config } = get(name);
      return node.predict(stm, effectiveConfig(config));
    },
    clearStm: async (name) => {
      const cleared = { stm: [], emotives: [], metadata: [], waiting: [], time: 0 };
      Object.assign(get(name), cleared, { percept: NOTHING_PERCEIVED, predictions: [] });
    },
    clearNode: async (name) => get(name).node.apply({ kind: "clear" }),
    finalize: async (name) => {
      const { node } = get(name);
      node.apply({ kind: "finalize" });
      return { patterns: node.patternCount() };
    },
    pattern: async (name, id) => {
      const stored = get(name).node.pattern(parsePatternName(id) ?? "");
      if (stored === undefined) return undefined;
      const { hash, ...fields } = stored;
      return { name: patternName(hash), length: stored.events.flat().length, ...fields };
    },
    symbols: async (name) => {
      const { node } = get(name);
      return Array.from(node.symbols(), ([symbol, statistics]) => ({
        symbol,
        ...statistics,
        affinity: node.affinity(symbol),
      }));
    },
    percept: async (name) => get(name).percept,
    cognition: async (name) => {
      const { stm, emotives, time, predictions } = get(name);
      return { symbols: stm.flat(), emotives: emotives.at(-1) ?? {}, time, predictions };
    },
  };
}

/** engine.md §3, in its order. */
function observe(session: Session, observation: Observed): ObservedReply {
  const { node } = session;
  const config = effectiveConfig(session.config);
  const { event, strings, vector } = processObservation(observation, {
    sortSymbols: config.sortSymbols,
    nearestVectors: (sum, count) => node.vectors.nearest(sum, count),
  });
  if (vector !== undefined) session.waiting.push(vector);
  session.predictions = [];
  let learned: string | null = null;
  if (event.length > 0) {
    session.stm = [...session.stm, event];
    if (config.processPredictions) {
      session.predictions = node.predict(session.stm, config).predictions;
    }
    const due = decideAutoLearning(session.stm, config);
    if (due !== undefined) {
      learned = store(session, { events: due.events, emotives: [], metadata: [] });
      session.stm = [...due.kept];
    }
  }
  session.time += 1;
  const { emotives, metadata, vectors } = observation;
  if (Object.keys(emotives).length > 0) session.emotives.push(emotives);
  if (Object.keys(metadata).length > 0) session.metadata.push(metadata);
  session.percept = { strings, vectors, emotives: averageEmotives(session.emotives), metadata };
  return { time: session.time, stmLength: session.stm.length, learned };
}

function learn(session: Session): string | null {
  if (session.stm.length === 0) {
    throw new ServiceError("INVALID_INPUT", "nothing to learn", { reason: "EMPTY_STM" });
  }
  const { stm, emotives, metadata } = session;
  session.stm = [];
  return store(session, { events: stm, emotives, metadata });
}

function store(
  session: Session,
  learning: { events: readonly Event[]; emotives: Emotives[]; metadata: Metadata[] },
): string | null {
  const { persistence } = effectiveConfig(session.config);
  const outcome = learnPattern({ ...learning, persistence, vectors: session.waiting });
  session.waiting = [];
  const change = outcome.learned ?? outcome.vectors;
  if (change !== null) session.node.apply(change);
  return outcome.learned === null ? null : patternName(outcome.learned.hash);
}

/** engine.md §11. */
function observeSequence(
  session: Session,
  observations: readonly Observed[],
  options: SequenceOptions,
): SequenceReply {
  const initialStmLength = session.stm.length;
  const learned: (string | null)[] = [];
  const results: ObservedReply[] = [];
  for (const [index, observation] of observations.entries()) {
    if (options.clearStmBetween && index > 0) session.stm = [];
    const reply = observe(session, observation);
    if (options.learnAfterEach && session.stm.length > 0) learned.push(learn(session));
    learned.push(reply.learned);
    results.push({ ...reply, stmLength: session.stm.length });
  }
  const finalLearned = options.learnAtEnd && session.stm.length > 0 ? learn(session) : null;
  learned.push(finalLearned);
  return {
    results,
    learned: learned.filter((name) => name !== null),
    finalLearned,
    initialStmLength,
    finalStmLength: session.stm.length,
  };
}
