import { expect, it } from "vitest";
import { freePort } from "../support/free-port.ts";
import { checkHistory } from "../support/history/check-history.ts";
import { startObservingLoad } from "../support/sdk/observing-load.ts";
import { openTestStore, STORE_KINDS } from "../support/service.ts";
import { watchService } from "../support/watched-service.ts";

it.each(STORE_KINDS)(
  "a service on %s that ends and is started again under load fails no call of the SDK",
  async (kind) => {
    await using store = await openTestStore(kind);
    const options = {
      store: store.url,
      workers: 2,
      env: { KATO_PORT: String(await freePort()), KATO_ACCESS_LOG: "off" },
    };
    const first = await watchService(options);
    const load = await startObservingLoad(first.url, { sessions: 3, clients: 2 });
    await load.untilBusy(10);

    const exit = await first.stop();
    await using second = await watchService(options);
    await load.untilBusy(10);
    await load.stop();

    expect(exit).toEqual({ code: 0, signal: null });
    expect(second.url).toBe(first.url);
    const { calls } = load.recorder;
    expect(calls.filter(({ outcome }) => outcome !== "ok")).toEqual([]);
    expect(checkHistory(calls, { retriesInsideCalls: true })).toEqual({ ok: true });
  },
);
