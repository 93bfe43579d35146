import { nodeTag, parseSessionId } from "../session-id.ts";
import { sessionNotFound } from "../store-errors.ts";

/*
 * All keys of a node share its hash tag, so that every commit touches one slot:
 *
 *   kato:{tag}:node                  string  the node's exact id
 *   kato:{tag}:sessions              zset    session suffix → end of the second in which it expires, in epoch ms; kept a day past it
 *   kato:{tag}:r:<request id>        string  suffix of the session that this `create` made, and after a
 *                                            space the digest of what was asked for
 *   kato:{tag}:receipt:<id>          string  left by a change until it is confirmed; expires soon
 *   kato:{tag}:s:<suffix>            hash    v version, k its mark, t time, l ttl in s, x expiry and c creation in epoch ms,
 *                                            q epoch ms to which the session's keys are sure to live, n node id,
 *                                            m metadata, g configuration, p percept (JSON; absent: empty),
 *                                            b bytes of all ids and replies ever remembered
 *   kato:{tag}:s:<suffix>:stm        list    events as JSON, oldest first
 *   kato:{tag}:s:<suffix>:emotives   list    emotives of the observations, likewise
 *   kato:{tag}:s:<suffix>:metadata   list    metadata of the observations, likewise
 *   kato:{tag}:s:<suffix>:vectors    list    vectors that wait for a learn, {name, vector}, likewise
 *   kato:{tag}:s:<suffix>:replies    hash    id → reply as JSON
 *   kato:{tag}:s:<suffix>:ids        list    `<epoch ms> <bytes> <id>` of those, oldest first; bytes: of these and
 *                                            of all before them
 *   kato:{tag}:s:<suffix>:d:<id>     string  the request that deleted the session
 *
 * The node's long-term memory, which never expires. A pattern goes by its hash; \n joins lines, which no JSON
 * text contains:
 *
 *   kato:{tag}:memory                hash    p position of the newest log entry, f learns of all patterns,
 *                                            o symbols of all patterns as often as learned, b bytes of all events,
 *                                            d numbers in each vector, z what the last finalize found as JSON
 *   kato:{tag}:names                 zset    pattern → number of the log entry by which it came to be
 *   kato:{tag}:patterns              hash    pattern → events as JSON
 *   kato:{tag}:frequencies           hash    pattern → how often it was learned
 *   kato:{tag}:emotives              hash    pattern → maps of emotives as JSON, a line each; absent: none
 *   kato:{tag}:metadata              hash    pattern → distinct [key, text] as JSON, a line each; absent: none
 *   kato:{tag}:symbols               zset    every symbol of a pattern, score 0
 *   kato:{tag}:symbol-frequencies    hash    symbol → occurrences in all patterns, as often as learned
 *   kato:{tag}:members               hash    symbol → patterns that have it
 *   kato:{tag}:affinity              hash    symbol → lines `<sum> <emotive as JSON>`
 *   kato:{tag}:vectors               hash    name → vector as JSON
 *   kato:{tag}:finalized             hash    members as the last finalize found them
 *   kato:{tag}:requests              hash    id → digest and reply to a change of the node, as MessagePack; expires
 *   kato:{tag}:request-ids           list    `<epoch ms> <bytes> <id>` of those, likewise; expires
 *   kato:{tag}:log                   stream  <number>-<mark>: j a NodeChange as JSON
 *
 * Outside of any node, and written by no commit; the tag of a receipt that belongs to the first is its name:
 *
 *   kato:nodes                       zset    every node id, score 0
 *   kato:fleet                       set     ids of workers; kato:fleet:<worker id> string, expiring report
 */
export const NODES_KEY = "kato:nodes";
export const FLEET_KEY = "kato:fleet";

export function workerKey(workerId: string): string {
  return `${FLEET_KEY}:${workerId}`;
}

/** Of a change in the slot of `tag`. */
export function receiptKey(tag: string, id: string): string {
  return `kato:{${tag}}:receipt:${id}`;
}

export type NodeKeys = { node: string; sessions: string; request(requestId: string): string };

export function nodeKeys(nodeId: string): NodeKeys {
  const tag = nodeTag(nodeId);
  const prefix = `kato:{${tag}}`;
  return {
    node: `${prefix}:node`,
    sessions: sessionsKey(tag),
    request: (requestId) => `${prefix}:r:${requestId}`,
  };
}

/** @throws ServiceError SESSION_NOT_FOUND for a text that cannot be a session id */
export function addressOf(sessionId: string): { tag: string; suffix: string } {
  const address = parseSessionId(sessionId);
  if (address === undefined) throw sessionNotFound(sessionId);
  return address;
}

export function headKey(tag: string, suffix: string): string {
  return `kato:{${tag}}:s:${suffix}`;
}

/** A session's own keys, in the order in which every session script takes them. */
export function sessionKeys(tag: string, suffix: string): string[] {
  const head = headKey(tag, suffix);
  return [...keysInAnyCase(tag, suffix), `${head}:emotives`, `${head}:metadata`, `${head}:vectors`];
}

export const KEYS_PER_SESSION = 7;

/** The first of them: all that most commits touch. */
export function keysInAnyCase(tag: string, suffix: string): string[] {
  const head = headKey(tag, suffix);
  return [head, `${head}:stm`, `${head}:replies`, `${head}:ids`];
}

export const KEYS_IN_ANY_CASE = 4;

/** The zset of a node's sessions, which every session script takes before any session's keys. */
export function sessionsKey(tag: string): string {
  return `kato:{${tag}}:sessions`;
}

/** Whether a session was deleted by this request. */
export function deletionKey(tag: string, suffix: string, requestId: string): string {
  return `${headKey(tag, suffix)}:d:${requestId}`;
}

/** What is remembered of requests that changed the node: replies, and their ids in order. */
export function requestKeys(tag: string): [replies: string, ids: string] {
  return [`kato:{${tag}}:requests`, `kato:{${tag}}:request-ids`];
}

export type MemoryKeys = Record<
  | "memory"
  | "names"
  | "patterns"
  | "frequencies"
  | "emotives"
  | "metadata"
  | "symbols"
  | "symbolFrequencies"
  | "members"
  | "affinity"
  | "vectors"
  | "finalized"
  | "log",
  string
>;

export function memoryKeys(tag: string): MemoryKeys {
  const node = `kato:{${tag}}`;
  return {
    memory: `${node}:memory`,
    names: `${node}:names`,
    patterns: `${node}:patterns`,
    frequencies: `${node}:frequencies`,
    emotives: `${node}:emotives`,
    metadata: `${node}:metadata`,
    symbols: `${node}:symbols`,
    symbolFrequencies: `${node}:symbol-frequencies`,
    members: `${node}:members`,
    affinity: `${node}:affinity`,
    vectors: `${node}:vectors`,
    finalized: `${node}:finalized`,
    log: `${node}:log`,
  };
}

/** The keys that every script takes that changes a node, in its order. */
export function allMemoryKeys(tag: string): string[] {
  return Object.values(memoryKeys(tag));
}
