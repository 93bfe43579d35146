import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { createStockHttp } from "../stock-adapter.ts";
import type { TestApp } from "../test-app.ts";
import { startTestApp } from "../test-app.ts";
import { makeTemporaryDirectory } from "../temporary-directory.ts";
import type { WireRequest } from "../wire.ts";
import { sendForText } from "../wire.ts";
import type { Answer } from "./answer.ts";
import { readAnswer } from "./answer.ts";
import type { PreparedStore } from "./prepared-store.ts";
import { ASKED_AT, BROKEN, BUSY } from "./prepared-store.ts";
import { stateOf } from "./store-state.ts";

/** The same of the service's dispatch and of tRPC's own adapter. */
export type Sides<T> = { ours: T; stock: T };

/** The service behind its dispatch and behind tRPC's own adapter, each on a copy of one store. */
export type TwoWires = AsyncDisposable & {
  ask(request: WireRequest): Promise<Sides<Answer>>;
  askOurs(request: WireRequest): Promise<Answer>;
  askStock(request: WireRequest): Promise<Answer>;
  /** All that requests can have changed. */
  state(): Promise<Sides<unknown>>;
};

export async function openTwoWires(prepared: PreparedStore): Promise<TwoWires> {
  await using opening = new AsyncDisposableStack();
  const ours = opening.use(await openOnCopy(prepared));
  const stock = opening.use(await openOnCopy(prepared));
  const http = createStockHttp(stock.app.services, { deadlineMs: 30_000, now: Date.now });
  opening.defer(() => http.close());
  const stockUrl = await http.listen({ host: "127.0.0.1", port: 0 });
  const known = new Set(Object.values(prepared.sessions));
  const open = opening.move();
  const ask = async (url: string, request: WireRequest) =>
    readAnswer(request, await sendForText(url, request), known);
  return {
    ask: (request) => both({ ours: ours.url, stock: stockUrl }, (url) => ask(url, request)),
    askOurs: (request) => ask(ours.url, request),
    askStock: (request) => ask(stockUrl, request),
    // Always by the service's own wire: what is compared is the stores.
    state: () => both({ ours: ours.url, stock: stock.url }, (url) => stateOf(url, prepared)),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

async function both<T>(urls: Sides<string>, ask: (url: string) => Promise<T>): Promise<Sides<T>> {
  const [ours, stock] = await Promise.all([ask(urls.ours), ask(urls.stock)]);
  return { ours, stock };
}

async function openOnCopy(prepared: PreparedStore): Promise<TestApp> {
  const directory = await makeTemporaryDirectory();
  const path = join(directory.path, "copy.db");
  await copyFile(prepared.path, path);
  const app = await startTestApp({
    settings: { KATO_STORE: `sqlite:${path}`, KATO_LOG_LEVEL: "silent" },
    now: () => ASKED_AT,
    overrides: (store) => ({
      async find(sessionId, nowMs) {
        if (sessionId === BROKEN) throw new Error("the disk says: secret");
        if (sessionId === BUSY) {
          throw new ServiceError("OVERLOADED", "come again", { retryAfterMs: 1_500 });
        }
        return store.find(sessionId, nowMs);
      },
    }),
  });
  return {
    ...app,
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await directory.remove();
    },
  };
}
