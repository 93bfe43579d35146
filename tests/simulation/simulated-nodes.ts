import { nextEventsNaively } from "../../server/engine/naive/next-events.ts";
import { predictNaively } from "../../server/engine/naive/predict.ts";
import type { FollowedNode } from "../../server/replica/followed-node.ts";
import type { NodeAccess } from "../../server/sessions/node-access.ts";
import type { ModelStore } from "../contract/model-store.ts";
import type { SimulatedStore } from "./simulated-store.ts";

/** Long-term memory as a worker asks it: as new as the store has it, by way of the same network. */
export class SimulatedNodes implements NodeAccess {
  readonly #model: ModelStore;
  readonly #store: SimulatedStore;

  constructor(model: ModelStore, store: SimulatedStore) {
    this.#model = model;
    this.#store = store;
  }

  follow(tag: string): Promise<FollowedNode> {
    const node = this.#model.node(tag);
    const predict: FollowedNode["predict"] = (stm, settings) =>
      Promise.resolve(predictNaively(node.memory, stm, settings));
    const followed: FollowedNode = {
      predict,
      predictText: async (stm, settings) => JSON.stringify(await predict(stm, settings)),
      nextText: (stm, question) =>
        Promise.resolve(JSON.stringify(nextEventsNaively(node.memory, stm, question))),
      nearest: (vectors, count) => {
        const { vectors: index } = node.memory;
        const neighbours = vectors.map((vector) => index.neighbours(vector, count));
        return Promise.resolve({ dimension: index.dimension, neighbours });
      },
      [Symbol.dispose]: () => undefined,
    };
    return this.#store.run("follow", () => Promise.resolve(followed));
  }
}
