import type { KatoClientOptions } from "../../client/sdk/options.ts";
import { readRpcRequest } from "../../server/http/rpc-request.ts";
import type { HttpReply } from "./answer-request.ts";
import type { SimulatedWorker } from "./simulated-worker.ts";
import { ConnectionLost } from "./simulated-worker.ts";
import type { World } from "./world.ts";

export const SIMULATED_URL = "http://simulated";
const PREFIX = `${SIMULATED_URL}/trpc/`;

type Fetch = NonNullable<KatoClientOptions["fetch"]>;

/** So late that the client may have given up, or not. */
const LATE_MS = [20, 12_000] as const;

/**
 * A `fetch` that brings each request to one of the workers. Request and reply may come late or never, the caller may
 * hear of that or not; a request that comes when its caller has given up is served all the same.
 */
export function simulatedFetch(world: World, workers: readonly SimulatedWorker[]): Fetch {
  const { chance, faults, scheduler } = world;
  return (url, { method = "GET", headers, body, signal }) =>
    new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      const fail = (cause: Error) => reject(new TypeError("fetch failed", { cause }));
      const lose = (what: string) => {
        const isNoticed = chance.happens(0.5);
        world.note(() => `network: ${what} lost${isNoticed ? "" : ", and nobody told"}`);
        if (!isNoticed) return;
        scheduler.after(world.delayMs(), () => fail(new ConnectionLost("ECONNRESET")));
      };
      if (faults.strikes("call request lost")) {
        lose("a request");
        return;
      }
      const worker = chance.pick(workers);
      const lateMs = faults.strikes("call late") ? chance.between(...LATE_MS) : 0;
      scheduler.after(world.delayMs() + lateMs, () => {
        const [path = "", query] = url.slice(PREFIX.length).split("?");
        const request = readRpcRequest({
          method,
          path,
          query: Object.fromEntries(new URLSearchParams(query)),
          body: typeof body === "string" ? Buffer.from(body) : undefined,
        });
        const { "x-request-id": requestId = "" } = headers as Record<string, string>;
        const isLost = faults.strikes("call reply lost");
        worker.receive(request, requestId).then(
          (reply) => {
            if (isLost) lose("a reply");
            else scheduler.after(world.delayMs(), () => resolve(responseOf(reply)));
          },
          (error: unknown) => {
            if (!(error instanceof ConnectionLost)) world.fail(error);
            else scheduler.after(world.delayMs(), () => fail(error));
          },
        );
      });
    });
}

/** As far as the client reads it: a real one costs as much as the rest of a call. */
function responseOf({ status, text }: HttpReply): Response {
  const headers = { get: () => null };
  return { status, headers, text: () => Promise.resolve(text) } as unknown as Response;
}
