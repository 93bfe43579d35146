import type { Relay } from "./relay.ts";
import { openRelay } from "./relay.ts";

/** What scripts know of the server's version since Redis 7. */
const KNOWN = "redis.REDIS_VERSION_NUM";
/** A name of the same length, which no server knows. */
const UNKNOWN = "redis.REDIS_VERSION_NIL";

/** A way to a Redis on this machine that takes from its scripts what they cannot know before Redis 7. */
export type AgeingProxy = Relay & {
  /** From now on scripts reach the server as they are. */
  upgrade(): void;
};

export async function openAgeingProxy(to: { port: number }): Promise<AgeingProxy> {
  let isOld = true;
  const relay = await openRelay(to, (chunk, server) => {
    const sent = chunk.toString("latin1");
    server.write(isOld ? sent.replaceAll(KNOWN, UNKNOWN) : sent, "latin1");
  });
  return {
    ...relay,
    upgrade() {
      isOld = false;
    },
  };
}
