import type { SessionConfigPatch } from "@kato-rpc/shared/session-config.ts";
import { effectiveConfig, patchConfig } from "@kato-rpc/shared/session-config.ts";
import { PARTS_TO_LEARN_WITHIN } from "./observe.ts";
import type { ClearStmReply, ConfigureReply } from "@kato-rpc/shared/session.ts";
import type { JsonValue } from "@kato-rpc/shared/observation.ts";
import { digestOf } from "../content-digest.ts";
import type { SessionChange } from "./session-change.ts";
import { emptyDelta, identityOf, listOf, recall, remember, replayStep } from "./session-change.ts";

/** Empties short-term memory, accumulators, waiting vectors and percept, and sets `time` to 0; settings stay. */
export function clearStm(requestId: string | undefined): SessionChange<ClearStmReply> {
  const ids = listOf(identityOf("clear", requestId)?.id);
  return {
    ids,
    weight: 1,
    parts: () => [],
    apply({ state, seen }) {
      const reply = { cleared: true } as const;
      if (ids.some((id) => seen.has(id))) return replayStep(state, { ...reply, replayed: true });
      return {
        state: { ...state, time: 0, stmLength: 0 },
        delta: {
          ...emptyDelta(),
          clearsStm: true,
          clearsAccumulators: true,
          clearsVectors: true,
          percept: null,
        },
        outcomes: ids.map((id) => ({ id, reply: null })),
        learns: [],
        reply,
      };
    },
  };
}

/** Changes the settings given, keeps the others; null unsets one. Replies with all that apply then. */
export function configure(
  patch: SessionConfigPatch,
  requestId: string | undefined,
): SessionChange<ConfigureReply> {
  const identity = identityOf("configure", requestId, digestOf(patch));
  // A change behind this one in the same commit may learn by the new settings.
  const mayLearn = typeof patch.maxPatternLength === "number" && patch.maxPatternLength > 0;
  return {
    ids: listOf(identity?.id),
    weight: 1,
    parts: () => (mayLearn ? PARTS_TO_LEARN_WITHIN : []),
    apply(base) {
      const { state } = base;
      const first = recall<RememberedConfig>(base, identity);
      if (first !== undefined) {
        return replayStep(state, { config: effectiveConfig(first), replayed: true });
      }
      const config = patchConfig(state.config, patch);
      return {
        state: { ...state, config },
        delta: { ...emptyDelta(), config },
        outcomes: listOf(identity && remember(identity, config as RememberedConfig)),
        learns: [],
        reply: { config: effectiveConfig(config) },
      };
    },
  };
}

/** The settings that the session had given itself then. */
type RememberedConfig = SessionConfigPatch & JsonValue;
