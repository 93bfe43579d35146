import type { SessionHandle } from "@kato-rpc/client";
import type { SessionConfig } from "@kato-rpc/shared/session-config.ts";
import type { Event } from "../history/recorded-call.ts";
import { deviationOf } from "../next-sums.ts";
import type { Action } from "./workload.ts";

/** Makes the call by the SDK; gives what of its reply is checked, and no more, since the replies of a whole load are kept. */
export function act(session: SessionHandle, action: Action): Promise<unknown> {
  switch (action.kind) {
    case "observe":
      return session.observe({ strings: [...action.event], observationId: action.id });
    case "sequence":
      return observeSequence(session, action);
    case "learn":
      return session.learn({ requestId: action.id });
    case "clear":
      return session.clearStm({ requestId: action.id });
    case "configure":
      return configure(session, action);
    case "delete":
      return session.delete();
    case "stm":
      return session.stm();
    case "get":
      return get(session);
    case "predict":
      return predict(session);
    case "next":
      return next(session);
  }
}

async function observeSequence(
  session: SessionHandle,
  action: Action & { kind: "sequence" },
): Promise<unknown> {
  const { id: requestId, events, learnAfterEach, learnAtEnd, clearStmBetween } = action;
  const options = { learnAfterEach, learnAtEnd, clearStmBetween };
  const observations = events.map(observed);
  const { results, ...reply } = await session.observeSequence({
    requestId,
    observations,
    ...options,
  });
  return {
    ...reply,
    results: results.map(({ time, stmLength, learned }) => ({ time, stmLength, learned })),
  };
}

async function configure(
  session: SessionHandle,
  { id: requestId, patch }: Action & { kind: "configure" },
): Promise<unknown> {
  const { config, ...reply } = await session.configure({ requestId, config: patch });
  return { ...reply, config: shared(config) };
}

async function get(session: SessionHandle): Promise<unknown> {
  const { sessionId, nodeId, time, stmLength, config } = await session.get();
  return { sessionId, nodeId, time, stmLength, config: shared(config) };
}

/** Of the predictions only which patterns they are of, and how often those were learned. */
async function predict(session: SessionHandle): Promise<unknown> {
  const { predictions, sessionId, nodeId, time } = await session.predict({
    overrides: { maxPredictions: 5 },
  });
  return {
    sessionId,
    nodeId,
    time,
    predictions: predictions.map(({ name, frequency }) => ({ name, frequency })),
  };
}

/** Of what comes next only whether it adds up, and which patterns tell it, and how often those were learned. */
async function next(session: SessionHandle): Promise<unknown> {
  const { sessionId, nodeId, time, ...list } = await session.next({ k: 5 });
  const because = list.events.flatMap((event) => event.because);
  const told = new Map(because.map(({ pattern, frequency }) => [hashIn(pattern), frequency]));
  return {
    sessionId,
    nodeId,
    time,
    because: Array.from(told, ([name, frequency]) => ({ name, frequency })),
    deviation: deviationOf(list),
    empty: list.empty,
  };
}

/** As predictions name it. */
function hashIn(pattern: string): string {
  return pattern.replace("PTRN|", "");
}

/** By their JSON: a workload draws few. */
const configs = new Map<string, SessionConfig>();

/** One object for all configurations that are alike. */
function shared(config: SessionConfig): SessionConfig {
  const key = JSON.stringify(config);
  const known = configs.get(key) ?? config;
  configs.set(key, known);
  return known;
}

function observed(event: Event): { strings: string[] } {
  return { strings: [...event] };
}
