import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type {
  Moment,
  NewSession,
  PageRequest,
  SessionCommit,
  SessionStore,
} from "../../server/stores/session-store.ts";
import type { World } from "./world.ts";

/** How long a store's client waits for a reply. */
const TIMEOUT_MS = 5_000;

/** The network between a worker and the store. */
export type StoreLink = {
  world: World;
  /** Who calls, for the trace. */
  name: string;
  /** Hands something to the worker when it can take it; a dead worker takes nothing. */
  deliver(run: () => void): void;
};

type Asked<Name extends "load" | "extend" | "delete" | "find" | "listNodes"> = Parameters<
  SessionStore[Name]
>;

/**
 * A worker's connection to the one store that all workers share. Each call is a request on its way, an effect at one
 * moment, and a reply on its way; requests and replies get lost, and an effect may come when its caller has given up.
 */
export class SimulatedStore implements SessionStore {
  readonly kind = "redis";
  readonly #store: SessionStore;
  readonly #link: StoreLink;

  constructor(store: SessionStore, link: StoreLink) {
    this.#store = store;
    this.#link = link;
  }

  create(session: NewSession) {
    return this.run("create", () => this.#store.create(session));
  }

  load(...asked: Asked<"load">) {
    return this.run("load", () => this.#store.load(...asked));
  }

  commit(commit: SessionCommit) {
    // As it is written to the wire now: what its maker does with it later changes nothing.
    const sent = { ...commit, delta: { ...commit.delta } };
    return this.run("commit", async () => {
      const result = await this.#store.commit(sent);
      if (result.status === "committed") this.#noteIds(sent);
      return result;
    });
  }

  extend(...asked: Asked<"extend">) {
    return this.run("extend", () => this.#store.extend(...asked));
  }

  delete(...asked: Asked<"delete">) {
    return this.run("delete", () => this.#store.delete(...asked));
  }

  find(...asked: Asked<"find">) {
    return this.run("find", () => this.#store.find(...asked));
  }

  listSessions(nodeId: string, page: PageRequest) {
    return this.run("listSessions", () => this.#store.listSessions(nodeId, page));
  }

  countSessions(nodeId: string, nowMs: Moment) {
    return this.run("countSessions", () => this.#store.countSessions(nodeId, nowMs));
  }

  hasNode(nodeId: string) {
    return this.run("hasNode", () => this.#store.hasNode(nodeId));
  }

  listNodes(...asked: Asked<"listNodes">) {
    return this.run("listNodes", () => this.#store.listNodes(...asked));
  }

  ping() {
    return this.run("ping", () => this.#store.ping());
  }

  close() {
    return this.#store.close();
  }

  /** One call: `effect` happens at the store at one moment, once or not at all. */
  run<T>(what: string, effect: () => Promise<T>): Promise<T> {
    const { world, deliver } = this.#link;
    const { scheduler, faults, chance } = world;
    return new Promise<T>((resolve, reject) => {
      const fail = (why: string) =>
        deliver(() => {
          world.note(() => `${this.#link.name}: ${what} failed, ${why}`);
          reject(unavailable(why));
        });
      const failLater = (why: string) => {
        const noticedMs = chance.happens(0.5) ? TIMEOUT_MS : world.delayMs();
        scheduler.after(noticedMs, () => fail(why));
      };

      if (world.isStoreDown || faults.strikes("store request lost")) {
        failLater("its request was lost");
        return;
      }
      const isLate = faults.strikes("store effect late");
      if (isLate) failLater("given up");
      const requestMs = world.delayMs() + (isLate ? chance.between(10, 6_000) : 0);
      scheduler.after(requestMs, () => {
        if (world.isStoreDown) {
          if (!isLate) failLater("the store went down");
          return;
        }
        const result = effect();
        this.#noteEffect(what, result);
        if (isLate) return;
        if (faults.strikes("store reply lost")) failLater("its reply was lost");
        else scheduler.after(world.delayMs(), () => deliver(() => resolve(result)));
      });
    });
  }

  #noteIds({ sessionId, outcomes }: SessionCommit): void {
    const { world } = this.#link;
    for (const { id } of outcomes) world.commits.set(`${sessionId} ${id}`, world.moment());
  }

  /** Tells the trace what came of it; and nobody may be there any more to hear of a failure. */
  #noteEffect(what: string, result: Promise<unknown>): void {
    const { world, name } = this.#link;
    result.then(
      (reply) => world.note(() => `store: ${what} of ${name} ${describe(reply)}`),
      (error: unknown) => world.note(() => `store: ${what} of ${name} refused, ${String(error)}`),
    );
  }
}

function describe(reply: unknown): string {
  if (typeof reply !== "object" || reply === null) return JSON.stringify(reply) ?? "done";
  const { status, state } = reply as { status?: string; state?: { version: number; time: number } };
  const at = state === undefined ? "" : ` at version ${state.version}, time ${state.time}`;
  return `${status ?? "done"}${at}`;
}

function unavailable(why: string): ServiceError {
  return new ServiceError("STORE_UNAVAILABLE", `the store did not answer: ${why}`);
}
