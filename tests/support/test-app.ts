import { join } from "node:path";
import { pino } from "pino";
import type { App } from "../../server/app.ts";
import { createApp } from "../../server/app.ts";
import type { Config } from "../../server/config.ts";
import { resolveConfig } from "../../server/config.ts";
import { Serving } from "../../server/http/serving.ts";
import { openStore, retentionFor } from "../../server/stores/open-store.ts";
import type { SessionStore } from "../../server/stores/session-store.ts";
import { makeTemporaryDirectory } from "./temporary-directory.ts";

export type LogLine = { level: string; msg: string; requestId?: string; [field: string]: unknown };

/** An app in the process of the tests, listening on a free port; on a SQLite store of its own unless told otherwise. */
export type TestApp = AsyncDisposable & {
  app: App;
  url: string;
  serving: Serving;
  /** What the app has logged so far. */
  log: readonly LogLine[];
};

export type TestAppOptions = {
  /** KATO_* settings. */
  settings?: Record<string, string>;
  /** What the app gets in place of the store's own methods. */
  overrides?: (store: SessionStore) => Partial<SessionStore>;
  /** The clock by which sessions expire in place of the store's own, in epoch ms. */
  now?: () => number;
};

export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const directory = await makeTemporaryDirectory();
  const config = resolveConfig({
    KATO_STORE: `sqlite:${join(directory.path, "kato.db")}`,
    ...options.settings,
  });
  const store = await openTestAppStore(config);
  const log: LogLine[] = [];
  const serving = new Serving();
  const { sessions } = store;
  const app = createApp({
    config,
    store: { ...store, sessions: override(sessions, options.overrides?.(sessions) ?? {}) },
    log: pino(
      {
        level: config.logLevel,
        base: null,
        formatters: { level: (label: string) => ({ level: label }) },
      },
      { write: (line: string) => void log.push(JSON.parse(line) as LogLine) },
    ),
    serving,
    workerId: "test-worker",
    now: Date.now,
    moment: options.now,
  });
  const url = await app.http.listen({ host: "127.0.0.1", port: 0 });
  return {
    app,
    url,
    serving,
    log,
    async [Symbol.asyncDispose]() {
      const closed = app.close();
      // One on which a refused request was still coming in would be kept alive for its client. Workers don't wait for
      // connections: theirs are handed over by the primary.
      app.http.server.closeAllConnections();
      await closed;
      await store.close();
      await directory.remove();
    },
  };
}

function openTestAppStore(config: Config) {
  return openStore(config.store, {
    retention: retentionFor(config),
    timeoutMs: config.deadlineMs,
    durability: config.durability,
    onConnectionError: () => undefined,
  });
}

/** `store` with some methods replaced; the others run on the store itself, which has private fields. */
function override(store: SessionStore, methods: Partial<SessionStore>): SessionStore {
  return new Proxy(store, {
    get(target, name) {
      const own: unknown = Reflect.get(methods, name);
      const value: unknown = own ?? Reflect.get(target, name);
      return typeof value === "function" && own === undefined ? value.bind(target) : value;
    },
  });
}
