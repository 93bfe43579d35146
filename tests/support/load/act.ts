import type { SessionHandle } from "@kato-rpc/client";
import type { Event } from "../history/recorded-call.ts";
import type { Action } from "./workload.ts";

/** Makes the call by the SDK; gives what of its reply is checked. */
export function act(session: SessionHandle, action: Action): Promise<unknown> {
  switch (action.kind) {
    case "observe":
      return session.observe({ strings: [...action.event], observationId: action.id });
    case "sequence": {
      const { id: requestId, events, learnAfterEach, learnAtEnd, clearStmBetween } = action;
      const options = { learnAfterEach, learnAtEnd, clearStmBetween };
      return session.observeSequence({ requestId, observations: events.map(observed), ...options });
    }
    case "learn":
      return session.learn({ requestId: action.id });
    case "clear":
      return session.clearStm({ requestId: action.id });
    case "configure":
      return session.configure({ requestId: action.id, config: action.patch });
    case "delete":
      return session.delete();
    case "stm":
      return session.stm();
    case "get":
      return session.get();
    case "predict":
      return predict(session);
  }
}

/** Of the predictions only which patterns they are of, and how often those were learned. */
async function predict(session: SessionHandle): Promise<unknown> {
  const { predictions, ...reply } = await session.predict({ overrides: { maxPredictions: 5 } });
  return {
    ...reply,
    predictions: predictions.map(({ name, frequency }) => ({ name, frequency })),
  };
}

function observed(event: Event): { strings: string[] } {
  return { strings: [...event] };
}
