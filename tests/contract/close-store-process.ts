/**
 * A process that opens the store of its first argument, comes into the state of its second, closes the store and
 * writes one line of JSON: how long that took, and what still keeps the process alive a moment later. It ends by
 * itself, or not at all.
 */
import { openStore, retentionOf } from "../../server/stores/open-store.ts";
import { parseStoreAddress } from "../../server/stores/store-address.ts";

const TIMEOUT_MS = 500;
const MOMENT_MS = 1_500;

const [url = "", state = ""] = process.argv.slice(2);
const store = await openStore(parseStoreAddress(url), {
  retention: retentionOf(1_000),
  timeoutMs: TIMEOUT_MS,
  onConnectionError: () => undefined,
});
const ping = () =>
  store.sessions.ping().then(
    () => "answered",
    () => "unavailable",
  );

const first = state === "untouched" ? "" : await ping();
const underWay = state === "with calls under way" ? [ping(), ping()] : [];
const start = performance.now();
await store.close();
const tookMs = performance.now() - start;
const later = [await ping()];
await Promise.all(underWay);
const left = await leftAfterAMoment();
later.push(await ping());

console.log(JSON.stringify({ first, later, tookMs, left }));

/** Sockets and timers that do not go away by themselves soon. */
async function leftAfterAMoment(): Promise<string[]> {
  const until = performance.now() + MOMENT_MS;
  for (;;) {
    const left = process
      .getActiveResourcesInfo()
      .filter((name) => /TCP|Timeout|GetAddrInfo|FSReq/.test(name));
    if (left.length === 0 || performance.now() > until) return left;
    await new Promise(setImmediate);
  }
}
