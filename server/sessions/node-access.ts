import type { FollowedNode } from "../replica/followed-node.ts";
import type { NodeReplicas } from "../replica/node-replicas.ts";
import { parseSessionId } from "../stores/session-id.ts";

/** Where a session's order may ask about its node. */
export type NodeAccess = Pick<NodeReplicas, "follow">;

/** The node of a session as it is now, or newer. To be released whatever becomes of the call. */
export function followNodeOf(
  sessionId: string,
  nodes: NodeAccess,
  deadlineAt: number,
): Promise<FollowedNode> {
  const { tag = "" } = parseSessionId(sessionId) ?? {};
  return nodes.follow(tag, deadlineAt);
}

export function release(following: Promise<FollowedNode>): void {
  following.then(
    (node) => node[Symbol.dispose](),
    () => undefined,
  );
}
