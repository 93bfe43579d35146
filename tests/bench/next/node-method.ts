import { NodeReplica } from "@kato-rpc/server/engine/index/node-replica.ts";
import { learnPattern } from "@kato-rpc/server/engine/learning.ts";
import { nextEvents } from "@kato-rpc/server/engine/next/next-events.ts";
import type { Method } from "@kato-rpc/server/cli/evaluate/predictor.ts";

/** What a node tells that has learned the sequences. Those of one event are no patterns, and teach nothing. */
export const node: Method = ({ sequences, events }) => {
  const replica = learnedNode(sequences.map((sequence) => sequence.map(String)));
  return {
    predict(context) {
      const stm = context.map((event) => [String(event)]);
      const answer = nextEvents(replica, stm, { limit: events, horizon: 1 });
      const result = new Float64Array(events + 2);
      for (const { event, probability } of answer.events) result[Number(event[0])] = probability;
      result[events] = answer.end;
      result[events + 1] = answer.other;
      return result;
    },
  };
};

export function learnedNode(sequences: readonly (readonly string[])[]): NodeReplica {
  const replica = new NodeReplica();
  for (const sequence of sequences) {
    const events = sequence.map((symbol) => [symbol]);
    const rest = { emotives: [], metadata: [], persistence: 1, vectors: [] };
    const { learned } = learnPattern({ events, ...rest });
    if (learned !== null) replica.apply(learned);
  }
  return replica;
}
