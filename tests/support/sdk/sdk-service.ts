import type { KatoClient, KatoClientOptions } from "@kato-rpc/client";
import { createKatoClient } from "@kato-rpc/client";
import type { Service, StoreKind } from "../service.ts";
import { openTestStore, startService } from "../service.ts";

export type SdkService = {
  client: KatoClient;
  service: Service;
  /** Another client of the same service; closed with the rest. */
  connect(options?: Partial<KatoClientOptions>): KatoClient;
  [Symbol.asyncDispose](): Promise<void>;
};

/** A real service on an empty store with a client for it. */
export async function startSdkService({
  kind = "sqlite",
  env = {},
  ...options
}: Partial<KatoClientOptions> & {
  kind?: StoreKind;
  env?: Record<string, string>;
} = {}): Promise<SdkService> {
  const store = await openTestStore(kind);
  const service = await startService({ store: store.url, env });
  const clients: KatoClient[] = [];
  const connect = (more: Partial<KatoClientOptions> = {}) => {
    const client = createKatoClient({ url: service.url, ...options, ...more });
    clients.push(client);
    return client;
  };
  return {
    client: connect(),
    service,
    connect,
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client.close();
      await service.stop();
      await store[Symbol.asyncDispose]();
    },
  };
}
