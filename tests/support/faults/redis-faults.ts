import { setTimeout as delay } from "node:timers/promises";
import type { RedisServer } from "../redis-server.ts";
import type { FaultTally } from "./fault-tally.ts";

/** SIGKILL, then a start on the same port and directory; resolves when the server has read its data and answers. */
export async function crashRedis(server: RedisServer, tally: FaultTally): Promise<void> {
  await server.kill();
  tally.add("Redis killed");
  await server.restart();
}

/** SIGSTOP for a while; resolves when the server answers again. */
export async function freezeRedis(
  server: RedisServer,
  forMs: number,
  tally: FaultTally,
): Promise<void> {
  await server.pause();
  tally.add("Redis frozen");
  try {
    await delay(forMs);
  } finally {
    await server.resume();
  }
}
