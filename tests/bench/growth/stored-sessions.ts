import { createSessionId } from "../../../server/stores/session-id.ts";
import type { OpenStore } from "../../../server/stores/open-store.ts";
import { openStore, retentionOf } from "../../../server/stores/open-store.ts";
import { parseStoreAddress } from "../../../server/stores/store-address.ts";
import { drawVersionMark } from "../../../server/stores/version-mark.ts";
import { randomFrom } from "../../support/random.ts";

const SEED = 20_261_124;
const TTL_SECONDS = 86_400;
/** Creations on their way at once. */
const AT_ONCE = 1_000;

export function openBenchStore(url: string): Promise<OpenStore> {
  return openStore(parseStoreAddress(url), {
    retention: retentionOf(1_000),
    timeoutMs: 60_000,
    onConnectionError: () => undefined,
  });
}

/** Creates sessions as the service does, without its HTTP; gives the ids of `sample` of them, chosen at random. */
export async function createSessions(
  store: OpenStore,
  options: { count: number; sample: number; nodeOf: (index: number) => string },
): Promise<string[]> {
  const { count, sample, nodeOf } = options;
  const chosen = chooseIndices(count, Math.min(sample, count));
  const ids: string[] = [];
  for (let start = 0; start < count; start += AT_ONCE) {
    const indices = Array.from({ length: Math.min(AT_ONCE, count - start) }, (_, i) => start + i);
    await Promise.all(
      indices.map(async (index) => {
        const nodeId = nodeOf(index);
        const sessionId = createSessionId(nodeId);
        if (chosen.has(index)) ids.push(sessionId);
        await createSession(store, { sessionId, nodeId, mark: drawVersionMark() });
      }),
    );
  }
  return ids;
}

export async function createSession(
  { sessions }: OpenStore,
  session: { sessionId: string; nodeId: string; mark: string },
): Promise<void> {
  await sessions.create({
    ...session,
    nowMs: undefined,
    ttlSeconds: TTL_SECONDS,
    metadata: {},
    config: {},
    requestId: undefined,
  });
}

function chooseIndices(count: number, sample: number): Set<number> {
  const random = randomFrom(SEED);
  const chosen = new Set<number>();
  while (chosen.size < sample) chosen.add(Math.floor(random() * count));
  return chosen;
}
