import type { SessionConfig, SessionConfigPatch } from "@kato-rpc/shared/session-config.ts";
import { effectiveConfig, patchConfig } from "@kato-rpc/shared/session-config.ts";
import { PARTS_TO_LEARN_WITHIN } from "./observe.ts";
import type { SessionChange } from "./session-change.ts";
import { emptyDelta, rememberedId, replayStep } from "./session-change.ts";

/** Empties short-term memory, accumulators, waiting vectors and percept, and sets `time` to 0; settings stay. */
export function clearStm(requestId: string): SessionChange<{ cleared: true }> {
  const id = rememberedId("clear", requestId);
  return {
    ids: [id],
    weight: 1,
    parts: () => [],
    apply({ state, seen }) {
      const reply = { cleared: true } as const;
      if (seen.has(id)) return replayStep(state, reply);
      return {
        state: { ...state, time: 0, stmLength: 0 },
        delta: {
          ...emptyDelta(),
          clearsStm: true,
          clearsAccumulators: true,
          clearsVectors: true,
          percept: null,
        },
        outcomes: [{ id, reply: null }],
        learns: [],
        reply,
      };
    },
  };
}

/** Changes the settings given, keeps the others; null unsets one. Replies with all that apply now. */
export function configure(
  patch: SessionConfigPatch,
  requestId: string,
): SessionChange<{ config: SessionConfig }> {
  const id = rememberedId("configure", requestId);
  // A change behind this one in the same commit may learn by the new settings.
  const mayLearn = typeof patch.maxPatternLength === "number" && patch.maxPatternLength > 0;
  return {
    ids: [id],
    weight: 1,
    parts: () => (mayLearn ? PARTS_TO_LEARN_WITHIN : []),
    apply({ state, seen }) {
      if (seen.has(id)) return replayStep(state, { config: effectiveConfig(state.config) });
      const config = patchConfig(state.config, patch);
      return {
        state: { ...state, config },
        delta: { ...emptyDelta(), config },
        outcomes: [{ id, reply: null }],
        learns: [],
        reply: { config: effectiveConfig(config) },
      };
    },
  };
}
