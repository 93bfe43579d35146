import type { PreparedStore } from "./prepared-store.ts";
import { NODE_ID } from "./prepared-store.ts";

/** An input that each procedure takes, or else none. */
export function takenInput(name: string, { sessions, pattern }: PreparedStore): object | undefined {
  const sessionId = sessions.observed;
  const ofPattern = { nodeId: NODE_ID, name: pattern };
  const special: Record<string, object | undefined> = {
    "session.create": { nodeId: NODE_ID, metadata: { page: 1 }, ttlSeconds: 60 },
    "session.list": { nodeId: NODE_ID, limit: 1 },
    "session.count": undefined,
    "session.configure": { sessionId, config: { persistence: 3, sortSymbols: null } },
    "session.observe": { sessionId, strings: ["b", "a"], vectors: [[1, 2]], predict: true },
    "session.observeSequence": {
      sessionId,
      observations: [{ strings: ["c"] }, { emotives: { joy: 0.5 } }],
      learnAtEnd: true,
    },
    "node.list": { limit: 10 },
    "node.pattern": ofPattern,
    "node.correct": { ...ofPattern, frequency: 5 },
    "node.forget": ofPattern,
  };
  if (name in special) return special[name];
  if (name.startsWith("monitor.")) return undefined;
  return name.startsWith("node.") ? { nodeId: NODE_ID } : { sessionId };
}
