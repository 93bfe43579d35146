import { nodeTag } from "../session-id.ts";

/*
 * All keys of a node share its hash tag, so that every commit touches one slot:
 *
 *   kato:{tag}:node                  string  the node's exact id
 *   kato:{tag}:sessions              zset    session suffix → expiry in epoch ms; kept a day past it
 *   kato:{tag}:r:<request id>        string  suffix of the session that this `create` made
 *   kato:{tag}:s:<suffix>            hash    v version, t time, l ttl in s, q epoch ms to which the session's
 *                                            keys are sure to live, c creation in epoch ms, n node id,
 *                                            m metadata, g configuration, p percept (JSON; absent: empty)
 *   kato:{tag}:s:<suffix>:stm        list    events as JSON, oldest first
 *   kato:{tag}:s:<suffix>:emotives   list    emotives of the observations, likewise
 *   kato:{tag}:s:<suffix>:metadata   list    metadata of the observations, likewise
 *   kato:{tag}:s:<suffix>:replies    hash    id → reply as JSON
 *   kato:{tag}:s:<suffix>:ids        list    those ids, oldest first
 *
 * Outside of any node, and written by no commit:
 *
 *   kato:nodes                       zset    every node id, score 0
 *   kato:fleet                       set     ids of workers; kato:fleet:<worker id> string, expiring report
 */
export const NODES_KEY = "kato:nodes";
export const FLEET_KEY = "kato:fleet";

export function workerKey(workerId: string): string {
  return `${FLEET_KEY}:${workerId}`;
}

export type NodeKeys = { node: string; sessions: string; request(requestId: string): string };

export function nodeKeys(nodeId: string): NodeKeys {
  const prefix = `kato:{${nodeTag(nodeId)}}`;
  return {
    node: `${prefix}:node`,
    sessions: `${prefix}:sessions`,
    request: (requestId) => `${prefix}:r:${requestId}`,
  };
}

/** The keys that every session script takes, in its order. */
export function sessionKeys(tag: string, suffix: string): string[] {
  const node = `kato:{${tag}}`;
  const head = `${node}:s:${suffix}`;
  return [
    head,
    `${head}:stm`,
    `${head}:emotives`,
    `${head}:metadata`,
    `${head}:replies`,
    `${head}:ids`,
    `${node}:sessions`,
  ];
}

export const SESSION_KEY_COUNT = 7;
