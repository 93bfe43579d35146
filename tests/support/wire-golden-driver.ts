import type { NodeSymbol, Pattern, SymbolPage } from "@kato-rpc/shared/node.ts";
import type {
  Cognition,
  LearnReply,
  ObserveReply,
  ObserveSequenceReply,
  Percept,
  PredictReply,
  StmReply,
} from "@kato-rpc/shared/session.ts";
import type { GoldenDriver, SymbolReply } from "./golden-driver.ts";
import type { PinnedClient } from "./clients/pinned-client.ts";
import type { Procedure, WireError } from "./wire.ts";
import { dataOf } from "./wire.ts";

/** A refusal as the golden cases look at it. */
class WireRefusal extends Error {
  readonly code: string;
  constructor({ message, data }: WireError) {
    super(message);
    this.code = data.kato;
  }
}

/**
 * Plays a golden case over the wire of a running service, each call by another worker than the one before, on nodes
 * whose ids begin with `prefix`.
 */
export function createWireDriver(workers: readonly PinnedClient[], prefix: string): GoldenDriver {
  let calls = 0;
  const sessions = new Map<string, { sessionId: string; nodeId: string }>();

  async function ask<T>(procedure: Procedure, input: object): Promise<T> {
    const worker = workers[calls % workers.length];
    if (worker === undefined) throw new Error("there is no worker to call");
    calls += 1;
    const reply = await worker.tryCall(procedure, input);
    const { error } = reply.body as { error?: { json: WireError } };
    if (error !== undefined) throw new WireRefusal(error.json);
    return dataOf<T>(reply);
  }

  function get(session: string) {
    const found = sessions.get(session);
    if (found === undefined) throw new Error(`the case has no session ${session}`);
    return found;
  }

  function onSession<T>(procedure: Procedure, session: string, input: object = {}): Promise<T> {
    return ask<T>(procedure, { sessionId: get(session).sessionId, ...input });
  }

  function onNode<T>(procedure: Procedure, session: string, input: object = {}): Promise<T> {
    return ask<T>(procedure, { nodeId: get(session).nodeId, ...input });
  }

  return {
    async createSession(session, node, config) {
      const nodeId = `${prefix}/${node}`;
      const { sessionId } = await ask<{ sessionId: string }>("session.create", { nodeId, config });
      sessions.set(session, { sessionId, nodeId });
    },
    async configure(session, config) {
      await onSession("session.configure", session, { config });
    },
    observe: (session, observation) =>
      onSession<ObserveReply>("session.observe", session, observation),
    observeSequence: (session, observations, options) =>
      onSession<ObserveSequenceReply>("session.observeSequence", session, {
        observations,
        ...options,
      }),
    learn: (session) => onSession<LearnReply>("session.learn", session),
    async train(session, sequences) {
      const names: (string | null)[] = [];
      for (const sequence of sequences) {
        const observations = sequence.map((strings) => ({ strings }));
        const { finalLearned } = await onSession<ObserveSequenceReply>(
          "session.observeSequence",
          session,
          { observations, learnAtEnd: true },
        );
        names.push(finalLearned);
      }
      return names;
    },
    stm: async (session) => (await onSession<StmReply>("session.stm", session)).stm,
    predict: (session) => onSession<PredictReply>("session.predict", session),
    async clearStm(session) {
      await onSession("session.clearStm", session);
    },
    async clearNode(session) {
      await onNode("node.clear", session);
    },
    finalize: (session) => onNode<{ patterns: number }>("node.finalize", session),
    async pattern(session, name) {
      try {
        return await onNode<Pattern>("node.pattern", session, { name });
      } catch (error) {
        // A name that is none is refused here; the reference finds nothing by it.
        const codes = ["PATTERN_NOT_FOUND", "INVALID_INPUT"];
        if (error instanceof WireRefusal && codes.includes(error.code)) return undefined;
        throw error;
      }
    },
    async symbols(session) {
      const symbols: SymbolReply[] = [];
      let cursor: string | null | undefined;
      do {
        const page: SymbolPage = await onNode<{ items: NodeSymbol[]; nextCursor: string | null }>(
          "node.symbols",
          session,
          cursor === undefined || cursor === null ? { limit: 50 } : { cursor, limit: 50 },
        );
        symbols.push(...page.items);
        cursor = page.nextCursor;
      } while (cursor !== null);
      return symbols;
    },
    percept: (session) => onSession<Percept>("session.percept", session),
    cognition: (session) => onSession<Cognition>("session.cognition", session),
  };
}
