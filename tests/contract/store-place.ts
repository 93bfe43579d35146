import { join } from "node:path";
import type { OpenStore, StoreRules } from "../../server/stores/open-store.ts";
import { openStore, retentionOf } from "../../server/stores/open-store.ts";
import { parseStoreAddress } from "../../server/stores/store-address.ts";
import type { Redis } from "ioredis";
import type { RedisServer } from "../support/redis-server.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";

type PlaceOptions = {
  release?: () => Promise<void>;
  passTime?: (ms: number) => Promise<void>;
  /** Of every store that is opened there, unless it asks for others. */
  rules?: Partial<StoreRules>;
};

/** Where one test's stores keep their data, which is empty at first. */
export class StorePlace implements AsyncDisposable {
  /** A value for `KATO_STORE`. */
  readonly url: string;
  readonly #opened: OpenStore[] = [];
  readonly #options: PlaceOptions;

  constructor(url: string, options: PlaceOptions = {}) {
    this.url = url;
    this.#options = options;
  }

  /** Lets the place's own clock, if it has one, go forward as the callers' clocks do. */
  async passTime(ms: number): Promise<void> {
    await this.#options.passTime?.(ms);
  }

  /** One more store on the same data, as another worker would open it; closed with the place at the latest. */
  async open(rules: Partial<StoreRules> = {}): Promise<OpenStore> {
    const store = await openStore(parseStoreAddress(this.url), {
      retention: retentionOf(1_000),
      timeoutMs: 40_000,
      onConnectionError: () => undefined,
      ...this.#options.rules,
      ...rules,
    });
    this.#opened.push(store);
    return store;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#opened) await store.close();
    await this.#options.release?.();
  }
}

/** A store of its own, closed with the test. */
export async function openStoreAt(
  url: string,
  rules: Partial<StoreRules> = {},
): Promise<OpenStore & AsyncDisposable> {
  const place = new StorePlace(url);
  const store = await place.open(rules);
  return { ...store, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
}

/** Rules of a store that gives up soon. */
export const IMPATIENT: Partial<StoreRules> = { timeoutMs: 400 };

/** What it fails with then. */
export const UNAVAILABLE = { code: "STORE_UNAVAILABLE" };

export type OpenPlace = () => Promise<StorePlace>;

export async function openSqlitePlace(): Promise<StorePlace> {
  const directory = await makeTemporaryDirectory();
  return new StorePlace(`sqlite:${join(directory.path, "kato.db")}`, { release: directory.remove });
}

/** Logical databases that a server must have so that each of its tests gets an empty one. */
export const REDIS_DATABASES = 2_000;

/** Gives out the databases of one server, one for each place. */
export function redisPlaces(server: () => RedisServer, rules: Partial<StoreRules> = {}): OpenPlace {
  let taken = 0;
  return async () => {
    taken += 1;
    const db = taken;
    return new StorePlace(`${server().url}/${db}`, {
      rules,
      async passTime(ms) {
        const client = server().client({ db });
        await ageKeys(client, ms);
        client.disconnect();
      },
    });
  };
}

/** Brings the end of every expiring key nearer, as if Redis's own clock had gone forward. */
export async function ageKeys(client: Redis, ms: number): Promise<void> {
  for (const key of await findKeys(client)) {
    const left = await client.pttl(key);
    if (left > 0) await client.pexpire(key, left - ms);
  }
}

export async function findKeys(client: Redis): Promise<string[]> {
  const keys = new Set<string>();
  for await (const found of client.scanStream({ count: 1_000 })) {
    for (const key of found as string[]) keys.add(key);
  }
  return [...keys].toSorted();
}
