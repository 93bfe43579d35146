import type { OpenStore, StoreRules } from "../../server/stores/open-store.ts";
import { retentionOf } from "../../server/stores/open-store.ts";
import type { SessionStore } from "../../server/stores/session-store.ts";
import { ModelStore } from "../contract/model-store.ts";
import { StorePlace } from "../contract/store-place.ts";
import { SimulatedStore } from "./simulated-store.ts";
import { World } from "./world.ts";

const DEFAULT_RETENTION = retentionOf(1_000);

/** Where nothing goes wrong and virtual time passes whenever a caller waits, so that any test of a store can be run. */
class SimulatedPlace extends StorePlace {
  readonly #world = new World(0);
  readonly #model = new ModelStore(DEFAULT_RETENTION, () => this.#world.storeNow());
  #opened = 0;

  constructor() {
    super("simulated:");
    this.#world.faults.stop();
  }

  override async passTime(ms: number): Promise<void> {
    this.#world.scheduler.nowMs += ms;
  }

  /** Of a store only its sessions are simulated. */
  override async open({ retention = DEFAULT_RETENTION }: Partial<StoreRules> = {}) {
    this.#model.retention = retention;
    this.#opened += 1;
    const link = {
      world: this.#world,
      name: `worker ${this.#opened}`,
      deliver: (run: () => void) => run(),
    };
    const sessions = this.#pumped(new SimulatedStore(this.#model, link));
    return { sessions } as OpenStore;
  }

  /** The store, whose every call sets going what is to happen. */
  #pumped(store: SessionStore): SessionStore {
    const { scheduler } = this.#world;
    return new Proxy(store, {
      get(target, name: keyof SessionStore) {
        const method: unknown = target[name];
        if (typeof method !== "function") return method;
        return (...asked: unknown[]) => {
          const reply: unknown = method.apply(target, asked);
          void scheduler.run();
          return reply;
        };
      },
    });
  }
}

export async function openSimulatedPlace(): Promise<StorePlace> {
  return new SimulatedPlace();
}
