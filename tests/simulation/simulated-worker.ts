import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { RpcRequest } from "../../server/http/rpc-request.ts";
import type { Call } from "../../server/sessions/call.ts";
import { SessionService } from "../../server/sessions/session-service.ts";
import { createSessionId } from "../../server/stores/session-id.ts";
import type { Retention, SessionStore } from "../../server/stores/session-store.ts";
import type { ModelStore } from "../contract/model-store.ts";
import type { HttpReply } from "./answer-request.ts";
import { answerRequest, refuseRequest } from "./answer-request.ts";
import { SimulatedNodes } from "./simulated-nodes.ts";
import { SimulatedStore } from "./simulated-store.ts";
import type { World } from "./world.ts";

/** As the service's own default. */
const DEADLINE_MS = 5_000;
/** Fewer than there are, so that some are forgotten. */
const CACHED_SESSIONS = 2;
const TTL_SECONDS = 30 * 86_400;

export type SharedStore = {
  model: ModelStore;
  retention: Retention;
  /** Puts something between a worker and its connection to the store. */
  sabotage?: ((store: SessionStore) => SessionStore) | undefined;
};

/** Why a request has no reply; as an error of `fetch` names it. */
export class ConnectionLost extends Error {
  readonly code: "ECONNREFUSED" | "ECONNRESET";

  constructor(code: ConnectionLost["code"]) {
    super(code);
    this.code = code;
  }
}

/** One process of the service: a real session service, which crashes and stalls. */
export class SimulatedWorker {
  readonly name: string;
  readonly #world: World;
  readonly #shared: SharedStore;
  #service: SessionService | undefined;
  #life = 0;
  #deliver: (run: () => void) => void = () => undefined;
  #stalledUntil = 0;
  #drainsUntil = 0;
  #conflictsBefore = 0;
  readonly #open = new Set<(error: Error) => void>();

  constructor(name: string, world: World, shared: SharedStore) {
    this.name = name;
    this.#world = world;
    this.#shared = shared;
    this.#start();
  }

  /** Commits that found a newer version, in all its lives. */
  get conflicts(): number {
    return this.#conflictsBefore + (this.#service?.counters.storeConflicts ?? 0);
  }

  /** All it held is gone; what it has sent to the store is still on its way. */
  crash(): void {
    this.#world.note(() => `${this.name}: crashes`);
    this.#conflictsBefore = this.conflicts;
    this.#life += 1;
    this.#service = undefined;
    this.#stalledUntil = 0;
    this.#drainsUntil = 0;
    for (const fail of this.#open) fail(new ConnectionLost("ECONNRESET"));
    this.#open.clear();
  }

  restart(): void {
    if (this.#service !== undefined) return;
    this.#world.note(() => `${this.name}: starts`);
    this.#start();
  }

  stall(forMs: number): void {
    this.#world.note(() => `${this.name}: stalls for ${forMs} ms`);
    this.#stalledUntil = this.#world.scheduler.nowMs + forMs;
  }

  /** Finishes what it has, and refuses what comes, as before a planned end. */
  drain(forMs: number): void {
    this.#world.note(() => `${this.name}: drains for ${forMs} ms`);
    this.#drainsUntil = this.#world.scheduler.nowMs + forMs;
  }

  /** Rejects with ConnectionLost when it is down, or goes down before it has answered. */
  receive(request: RpcRequest, requestId: string): Promise<HttpReply> {
    return new Promise((resolve, reject) => {
      if (this.#service === undefined) {
        reject(new ConnectionLost("ECONNREFUSED"));
        return;
      }
      this.#open.add(reject);
      this.#deliver(() => {
        this.#answer(request, requestId)
          .finally(() => this.#open.delete(reject))
          .then(resolve, reject);
      });
    });
  }

  async #answer(request: RpcRequest, requestId: string): Promise<HttpReply> {
    const service = this.#service!; // alive, or nobody had handed it the request
    if (this.#world.scheduler.nowMs < this.#drainsUntil) return refuseRequest(requestId);
    this.#world.note(() => `${this.name}: gets ${request.calls.map(describeCall).join(", ")}`);
    return answerRequest(service, { request, requestId }, (run, id) => this.#bound(run, id));
  }

  #bound(run: (call: Call) => Promise<unknown>, requestId: string): Promise<unknown> {
    const { scheduler } = this.#world;
    const deliver = this.#deliver;
    return new Promise((resolve, reject) => {
      const late = () => reject(new ServiceError("STORE_UNAVAILABLE", "not done in time"));
      const stopTimer = scheduler.after(DEADLINE_MS, () => deliver(late));
      const call: Call = {
        requestId,
        deadlineAt: scheduler.nowMs + DEADLINE_MS,
        sessionId: undefined,
        nodeId: undefined,
        queued: () => undefined,
        aside: (promise) => promise,
        trace: () => undefined,
      };
      run(call).finally(stopTimer).then(resolve, reject);
    });
  }

  #start(): void {
    const world = this.#world;
    const { model, retention, sabotage } = this.#shared;
    this.#deliver = this.#deliverer();
    const link = { world, name: this.name, deliver: this.#deliver };
    const store = new SimulatedStore(model, link);
    this.#service = new SessionService(
      { sessions: sabotage?.(store) ?? store, nodes: new SimulatedNodes(model, store) },
      {
        ttlSeconds: TTL_SECONDS,
        autoExtend: true,
        retention,
        cachedSessions: CACHED_SESSIONS,
        createSessionId: (nodeId) => createSessionId(nodeId, world.chance.bytes()),
      },
      { now: () => world.scheduler.nowMs, moment: () => undefined },
    );
  }

  /** What hands something to the process that runs now: once it is awake, and never if it has died. */
  #deliverer(): (run: () => void) => void {
    const life = this.#life;
    const { scheduler } = this.#world;
    const deliver = (run: () => void): void => {
      if (life !== this.#life) return;
      const waitMs = this.#stalledUntil - scheduler.nowMs;
      if (waitMs > 0) scheduler.after(waitMs, () => deliver(run));
      else run();
    };
    return deliver;
  }
}

function describeCall({ path, payload }: RpcRequest["calls"][number]): string {
  const { sessionId = "", observationId, requestId } = (payload as { json: CallInput }).json;
  return `${path} ${observationId ?? requestId ?? ""} of ${sessionId.slice(-4) || "no session"}`;
}

type CallInput = { [name in "sessionId" | "observationId" | "requestId"]?: string };
