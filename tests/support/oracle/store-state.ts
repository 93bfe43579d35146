import { batch } from "../wire.ts";
import type { PreparedStore } from "./prepared-store.ts";
import { NODE_ID } from "./prepared-store.ts";
import { withoutChance } from "./without-chance.ts";

/** What a service tells of the sessions and the node of a prepared store, and how many others there are. */
export async function stateOf(url: string, { sessions }: PreparedStore): Promise<unknown> {
  const { observed, empty } = sessions;
  const ofSessions = [observed, empty].flatMap((sessionId) =>
    ["get", "stm", "percept"].map((name) => ({ path: `session.${name}`, input: { sessionId } })),
  );
  const ofNode = ["stats", "patterns", "symbols"].map((name) => ({
    path: `node.${name}`,
    input: { nodeId: NODE_ID },
  }));
  const others = [{ path: "session.count" }, { path: "node.list" }];
  const { items } = await batch(url, "query", [...ofSessions, ...ofNode, ...others]);
  const told = items.map(({ result, error }) => result?.data ?? error?.json.data.kato);
  return withoutChance(told, new Set(Object.values(sessions)));
}
