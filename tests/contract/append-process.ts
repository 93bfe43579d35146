/**
 * A process that waits for the moment of its first argument (epoch ms), then opens the store of the second and
 * appends events to the session of the third: as many as the fourth says, named after the fifth. Each that is
 * acknowledged is written to the output.
 */
import { setTimeout as delay } from "node:timers/promises";
import { openStore, retentionOf } from "../../server/stores/open-store.ts";
import { parseStoreAddress } from "../../server/stores/store-address.ts";
import { appendOnce } from "./session-builders.ts";

const [startAt = "", url = "", sessionId = "", count = "", name = ""] = process.argv.slice(2);
await delay(Number(startAt) - Date.now());
const store = await openStore(parseStoreAddress(url), {
  retention: retentionOf(1_000_000),
  timeoutMs: 40_000,
  onConnectionError: () => undefined,
});
for (let i = 0; i < Number(count); i += 1) {
  await appendOnce(store.sessions, sessionId, `${name}-${i}`);
  console.log(`acknowledged ${name}-${i}`);
}
await store.close();
