/**
 * The peer of the throughput benchmark: bare Fastify and ioredis that run the service's own commit
 * script once per request, without RPC, validation, ids, order or limits. Prints its address.
 */
import { createSessionId, parseSessionId } from "../../server/stores/session-id.ts";
import { sessionKeys } from "../../server/stores/redis/keys.ts";
import { RedisScript } from "../../server/stores/redis/scripts.ts";
import { fastify } from "fastify";
import { Redis } from "ioredis";

const [redisUrl = ""] = process.argv.slice(2);
const redis = new Redis(redisUrl, { enableAutoPipelining: true });
const commit = new RedisScript("clock", "session", "remember", "no-learns", "commit-session");
const create = new RedisScript("clock", "create-session");
const sessions = new Map<string, { keys: string[]; suffix: string; version: number }>();
/** As long as those that the service draws. */
const MARK = "mmmmmmmmmmmm";

const app = fastify({ logger: false });

app.post("/create", async () => {
  const sessionId = createSessionId("bench");
  const { tag, suffix } = parseSessionId(sessionId) ?? { tag: "", suffix: "" };
  const keys = sessionKeys(tag, suffix);
  const node = `kato:{${tag}}`;
  const createKeys = [keys[0] ?? "", `${node}:sessions`, `${node}:node`, `${node}:r:`];
  const args = [suffix, Date.now(), 3_600, "bench", "", "", 0, "", `${MARK}0`];
  await create.run(redis, createKeys, args);
  sessions.set(sessionId, { keys, suffix, version: 0 });
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
  const head = [session.suffix, Date.now(), 1, base, time, 0, 0, 0];
  const kept = [1_000, 1_000, 1_024, 3_600_000];
  // Numbers of the values that follow: ids asked for, events, emotives, metadata, vectors, replies, fields.
  const counts = [1, 1, 0, 0, 0, 2, 4];
  const percept = JSON.stringify({ strings, vectors: [], metadata: {} });
  const fields = ["k", `${MARK}${time}`, "p", percept];
  const values = [id, JSON.stringify(strings), id, `[${time},1,null]`, ...fields];
  const args = [...head, ...kept, ...counts, ...values];
  const reply = (await commit.run(redis, session.keys, args)) as string[];
  if (reply[0] !== "committed") throw new Error(`the script answered ${reply[0]}`);
  session.version = time;
  return { sessionId, time };
});

const url = await app.listen({ port: 0, host: "127.0.0.1", backlog: 2_048 });
process.stdout.write(`bare server on ${url}\n`);
