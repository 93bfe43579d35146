import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StartedProcess } from "./processes.ts";
import { startProcess } from "./processes.ts";
import { startRedis } from "./redis-server.ts";
import { makeTemporaryDirectory } from "./temporary-directory.ts";

const CLI = fileURLToPath(new URL("../../server/cli.ts", import.meta.url));

/** A store that tests may point a service at; `url` is a value for `KATO_STORE`. */
export type TestStore = { url: string; [Symbol.asyncDispose](): Promise<void> };

/** The kinds of store that every behaviour is tested on. */
export const STORE_KINDS = ["sqlite", "redis"] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

/** An empty store of its own: a file in a new directory, or a real Redis server. */
export async function openTestStore(kind: StoreKind): Promise<TestStore> {
  if (kind === "redis") return startRedis();
  const directory = await makeTemporaryDirectory();
  return {
    url: `sqlite:${join(directory.path, "kato.db")}`,
    [Symbol.asyncDispose]: () => directory.remove(),
  };
}

export type Service = {
  url: string;
  process: StartedProcess;
  /** SIGTERM, then waits for the end. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** A real `kato serve` on a free port, ready to take calls. `env` holds KATO_* settings, `cli` another tree's cli.ts. */
export async function startService(options: {
  store: string;
  workers?: number;
  env?: Record<string, string>;
  cli?: string;
}): Promise<Service> {
  const started = await startProcess({
    command: process.execPath,
    args: [options.cli ?? CLI, "serve"],
    env: {
      KATO_HOST: "127.0.0.1",
      KATO_PORT: "0",
      KATO_STORE: options.store,
      KATO_WORKERS: String(options.workers ?? 1),
      KATO_LOG_FORMAT: "json",
      KATO_ACCESS_LOG: "off",
      ...options.env,
    },
  });
  const [, url = ""] = await started.waitForLine(
    /"url":"(http:[^"]+)".*kato-rpc listening/,
    30_000,
  );
  const stop = async () => {
    await started.stop();
  };
  return { url, process: started, stop, [Symbol.asyncDispose]: stop };
}
