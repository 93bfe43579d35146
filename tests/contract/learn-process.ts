/**
 * A process that opens the store of its first argument and learns a few patterns of the node "node" in turns, a
 * commit for each learn: as many as the second says. Each that is acknowledged is written to the output.
 */
import { openStore, retentionOf } from "../../server/stores/open-store.ts";
import { parseStoreAddress } from "../../server/stores/store-address.ts";
import { learnOf } from "./node-builders.ts";
import { commitOf, createSession } from "./session-builders.ts";

const [url = "", count = ""] = process.argv.slice(2);
const store = await openStore(parseStoreAddress(url), {
  retention: retentionOf(1_000),
  timeoutMs: 40_000,
  onConnectionError: () => undefined,
});
const sessionId = await createSession(store.sessions);
for (let i = 0; i < Number(count); i += 1) {
  const learns = [learnOf([["p"], [`p${i % 10}`]], { emotives: [{ turn: i }] })];
  await store.sessions.commit(commitOf(sessionId, { baseVersion: i, learns }));
  console.log(`acknowledged ${i}`);
}
await store.close();
