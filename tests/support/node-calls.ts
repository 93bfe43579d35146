import type { Pattern, PatternPage } from "@kato-rpc/shared/node.ts";
import type { LearnReply, NextReply, PredictReply } from "@kato-rpc/shared/session.ts";
import { call } from "./wire.ts";

export async function createSession(
  url: string,
  nodeId: string,
  config: object = {},
): Promise<string> {
  const created = await call<{ sessionId: string }>(url, "session.create", { nodeId, config });
  return created.sessionId;
}

/** Observes the events in a session of its own and learns them; gives what the learn was answered. */
export async function learnEvents(
  url: string,
  nodeId: string,
  events: string[][],
): Promise<LearnReply> {
  const sessionId = await createSession(url, nodeId);
  await observeEvents(url, sessionId, events);
  return call<LearnReply>(url, "session.learn", { sessionId });
}

export async function observeEvents(
  url: string,
  sessionId: string,
  events: string[][],
): Promise<void> {
  const observations = events.map((strings) => ({ strings }));
  await call(url, "session.observeSequence", { sessionId, observations });
}

/** What a node predicts after these events, by a session of its own. */
export async function predictAfter(
  url: string,
  nodeId: string,
  events: string[][],
  overrides: object = {},
): Promise<PredictReply> {
  const sessionId = await createSession(url, nodeId);
  await observeEvents(url, sessionId, events);
  return call<PredictReply>(url, "session.predict", { sessionId, overrides });
}

/** What a node tells of the events that come after these, by a session of its own. */
export async function nextAfter(
  url: string,
  nodeId: string,
  events: string[][],
  input: object = {},
): Promise<NextReply> {
  const sessionId = await createSession(url, nodeId);
  await observeEvents(url, sessionId, events);
  return call<NextReply>(url, "session.next", { sessionId, ...input });
}

export async function allPatterns(url: string, nodeId: string): Promise<Pattern[]> {
  const patterns: Pattern[] = [];
  let cursor: string | null = null;
  do {
    const input: object = cursor === null ? { nodeId } : { nodeId, cursor };
    const page: PatternPage = await call<PatternPage>(url, "node.patterns", input);
    patterns.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return patterns;
}
