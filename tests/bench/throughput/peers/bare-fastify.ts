/**
 * The peer of the throughput benchmark: bare Fastify and ioredis that run the service's own commit
 * script once per request, without RPC, validation, ids, order or limits. Prints its address.
 */
import { createSessionId, parseSessionId } from "../../../../server/stores/session-id.ts";
import { keysInAnyCase, sessionKeys, sessionsKey } from "../../../../server/stores/redis/keys.ts";
import {
  creationArguments,
  createScript,
} from "../../../../server/stores/redis/creation-groups.ts";
import { RedisScript } from "../../../../server/stores/redis/scripts.ts";
import { fastify } from "fastify";
import { Redis } from "ioredis";

const [redisUrl = ""] = process.argv.slice(2);
const redis = new Redis(redisUrl, { enableAutoPipelining: true });
const script = new RedisScript("clock", "session", "remember", "no-learns", "commit-sessions");
type Session = { keys: string[]; allKeys: string[]; suffix: string; version: number };
const sessions = new Map<string, Session>();
/** Shapes of a commit: an event, a reply with its id, and a head field; with the keys that it touches, and with all. */
const PARTIAL = "0000 0 1 0 0 0 2 2";
const WHOLE = "0001 0 1 0 0 0 2 2";
/** As long as those that the service draws. */
const MARK = "mmmmmmmmmmmm";

const app = fastify({ logger: false });

app.post("/create", async () => {
  const sessionId = createSessionId("bench");
  const { tag, suffix } = parseSessionId(sessionId) ?? { tag: "", suffix: "" };
  const [head = ""] = keysInAnyCase(tag, suffix);
  const keys = [sessionsKey(tag), ...keysInAnyCase(tag, suffix)];
  const allKeys = [sessionsKey(tag), ...sessionKeys(tag, suffix)];
  const node = `kato:{${tag}}`;
  const session = {
    ttlSeconds: 3_600,
    metadata: {},
    config: {},
    mark: `${MARK}0`,
    requestId: undefined,
  };
  const args = [Date.now(), "bench", 1, ...creationArguments(session, suffix, 0)];
  const createKeys = [sessionsKey(tag), `${node}:node`, head, `${node}:r:`];
  await createScript.run(redis, { keys: createKeys, args });
  sessions.set(sessionId, { keys, allKeys, suffix, version: 0 });
  return { sessionId };
});

app.post("/observe", async (request) => {
  const { sessionId, strings } = request.body as { sessionId: string; strings: string[] };
  const session = sessions.get(sessionId);
  if (session === undefined) throw new Error("no such session");
  // One connection sends one request after another, so nobody else moves this version.
  const time = session.version + 1;
  const id = `o${sessionId}.${time}`;
  const base = `${session.version}-${MARK}${session.version}`;
  const kept = [1_000, 1_000, 1_024, 3_600_000];
  const percept = JSON.stringify({ strings, vectors: [], metadata: {} });
  const values = [JSON.stringify(strings), id, `[${time},1,null]`, "p", percept];
  const commitWith = async (keys: string[], shape: string) => {
    const commit = [session.suffix, base, `${MARK}${time}`, time, shape, ...values];
    const args = [Date.now(), 1, ...kept, 1, ...commit];
    return ((await script.run(redis, { keys, args })) as unknown[])[0];
  };
  let reply = await commitWith(session.keys, PARTIAL);
  // Once in a while the life of all keys of a session is to be renewed.
  if (Array.isArray(reply) && reply[0] === "short")
    reply = await commitWith(session.allKeys, WHOLE);
  if (typeof reply !== "number") throw new Error(`the script answered ${String(reply)}`);
  session.version = time;
  return { sessionId, time };
});

const url = await app.listen({ port: 0, host: "127.0.0.1", backlog: 2_048 });
process.stdout.write(`peer on ${url}\n`);
