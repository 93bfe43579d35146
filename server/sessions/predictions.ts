import type { PredictionOverrides } from "@kato-rpc/shared/session-config.ts";
import { effectiveConfig, patchConfig } from "@kato-rpc/shared/session-config.ts";
import type { Cognition, NextReply, PredictReply } from "@kato-rpc/shared/session.ts";
import type { FollowedNode } from "../replica/followed-node.ts";
import type { Contact, LoadedSession, SessionPart, SessionStore } from "../stores/session-store.ts";
import type { Call } from "./call.ts";
import { noted } from "./call.ts";
import type { NodeAccess } from "./node-access.ts";
import { followNodeOf, release } from "./node-access.ts";
import { PreparedReply } from "./prepared-reply.ts";
import type { SessionQueue } from "./session-queue.ts";

export type NextInput = {
  sessionId: string;
  k?: number | undefined;
  horizon?: number | undefined;
  overrides?: PredictionOverrides | undefined;
};

export type PredictionParts = {
  sessions: SessionStore;
  nodes: NodeAccess;
  queue: SessionQueue;
  contact(): Contact;
};

/** Events that `next` lists where nothing says how many. */
const NEXT_EVENTS = 10;

/** What a session's node says of it. Nothing here changes a session. */
export class Predictions {
  readonly #parts: PredictionParts;

  constructor(parts: PredictionParts) {
    this.#parts = parts;
  }

  predict(
    input: { sessionId: string; overrides?: PredictionOverrides | undefined },
    call: Call,
  ): Promise<PreparedReply<PredictReply>> {
    return this.#read(input.sessionId, call, {
      parts: ["stm"],
      async answer({ state, stm }, node) {
        const settings = effectiveConfig(patchConfig(state.config, input.overrides ?? {}));
        const { sessionId, nodeId, time } = state;
        // Long lists: as text they cost this thread a tenth.
        const list = await node.predictText(stm, settings);
        return new PreparedReply<PredictReply>({ sessionId, nodeId, time }, list);
      },
    });
  }

  /** What comes after short-term memory, and how probable it is; seen as `predict` sees it. */
  next(input: NextInput, call: Call): Promise<PreparedReply<NextReply>> {
    return this.#read(input.sessionId, call, {
      parts: ["stm"],
      async answer({ state, stm }, node) {
        const { maxPredictions } = patchConfig(state.config, input.overrides ?? {});
        const { sessionId, nodeId, time } = state;
        const list = await node.nextText(stm, {
          limit: input.k ?? maxPredictions ?? NEXT_EVENTS,
          horizon: input.horizon ?? 1,
        });
        return new PreparedReply<NextReply>({ sessionId, nodeId, time }, list);
      },
    });
  }

  /** sessions.md §8; predictions are made now, of what short-term memory holds now. */
  cognition(sessionId: string, call: Call): Promise<Cognition> {
    return this.#read(sessionId, call, {
      parts: ["stm", "emotives", "percept"],
      async answer({ state, stm, emotives, percept }, node) {
        const config = effectiveConfig(state.config);
        const isEmpty = percept === null || percept.strings.length + percept.vectors.length === 0;
        const asks = config.processPredictions && !isEmpty;
        return {
          sessionId: state.sessionId,
          nodeId: state.nodeId,
          predictions: asks ? (await node.predict(stm, config)).predictions : [],
          emotives: emotives.at(-1) ?? {},
          symbols: stm.flat(),
          stm,
          time: state.time,
        };
      },
    });
  }

  /** Reads a session, and what its node knows once it does: both as they are when the call has its turn. */
  async #read<T>(
    sessionId: string,
    call: Call,
    reading: {
      parts: readonly SessionPart[];
      answer(session: LoadedSession, node: FollowedNode): Promise<T>;
    },
  ): Promise<T> {
    const { sessions, nodes, queue, contact } = this.#parts;
    const begin = async () => {
      // Together one round trip; the session's next call need not wait for a node that has to be loaded.
      const following = followNodeOf(sessionId, nodes, call.deadlineAt);
      following.catch(() => undefined);
      try {
        const session = await sessions.load(sessionId, { at: contact(), parts: reading.parts });
        return { session, following };
      } catch (error) {
        release(following);
        throw error;
      }
    };
    const { session, following } = await queue.task(sessionId, begin, call);
    call.trace("loaded", { version: noted(session, call).state.version });
    try {
      const node = await call.aside(following);
      call.trace("followed");
      const answer = await reading.answer(session, node);
      call.trace("predicted");
      return answer;
    } finally {
      release(following);
    }
  }
}
