import { overload } from "../support/open-loop/overload.ts";
import type { OverloadReport } from "../support/open-loop/overload.ts";
import { openTestStore, startService } from "../support/service.ts";

/** One worker on Redis, bound by the processors, which it shares with the load. */
export async function measureOverload(seconds: number): Promise<OverloadReport> {
  await using store = await openTestStore("redis");
  await using service = await startService({ store: store.url });
  return await overload({
    url: service.url,
    callsPerRequest: 50,
    connections: 8,
    seconds: { capacity: seconds, overload: 2 * seconds, after: seconds },
  });
}
