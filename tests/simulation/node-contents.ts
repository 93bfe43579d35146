import { patternName } from "../../server/engine/pattern-name.ts";
import { nodeTag } from "../../server/stores/session-id.ts";
import type { ModelStore } from "../contract/model-store.ts";
import type { NodeContents } from "../support/history/node-contents.ts";

/** What a node holds, as the service would tell it. */
export function nodeContents(model: ModelStore, nodeId: string): NodeContents {
  const { totals, patterns, symbols } = model.node(nodeTag(nodeId)).contents();
  return {
    nodeId,
    stats: { nodeId, ...totals, sessions: 0 },
    patterns: patterns.map(({ hash, events, frequency }) => {
      const length = events.flat().length;
      return { name: patternName(hash), events, length, frequency, emotives: [], metadata: {} };
    }),
    symbols: symbols.map((symbol) => ({ ...symbol, affinity: {} })),
  };
}
