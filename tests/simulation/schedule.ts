import { isDeepStrictEqual } from "node:util";
import { isKatoError } from "@kato-rpc/client";
import type { KatoClient, SessionHandle } from "@kato-rpc/client";
import { createClient } from "../../client/sdk/client.ts";
import { nextEventsNaively } from "../../server/engine/naive/next-events.ts";
import { retentionOf } from "../../server/stores/open-store.ts";
import { nodeTag } from "../../server/stores/session-id.ts";
import type { SessionStore } from "../../server/stores/session-store.ts";
import { ModelStore } from "../contract/model-store.ts";
import type { Stm } from "../support/history/recorded-call.ts";
import type { SessionCall } from "../support/history/session-call.ts";
import type { Asked } from "./asked.ts";
import { ask } from "./asked.ts";
import { findViolations } from "./check-schedule.ts";
import type { FaultCounts } from "./faults.ts";
import { History } from "./history.ts";
import { nodeContents } from "./node-contents.ts";
import type { Lane, Plan } from "./plan.ts";
import { drawPlan } from "./plan.ts";
import { SIMULATED_URL, simulatedFetch } from "./simulated-network.ts";
import { planRollback, withoutLost } from "./rollback.ts";
import { platformIn } from "./simulated-platform.ts";
import { SimulatedWorker } from "./simulated-worker.ts";
import { planTrouble } from "./trouble.ts";
import { World } from "./world.ts";

export type ScheduleOptions = {
  traces?: boolean;
  /** Puts something between each worker and its connection to the store, to see whether that is noticed. */
  sabotage?: ((store: SessionStore) => SessionStore) | undefined;
};

export type ScheduleResult = {
  seed: number;
  /** What contradicts the promises, each in words; none is as it should be. */
  violations: string[];
  /** What happened, if it was asked for. */
  trace: readonly string[];
  calls: number;
  /** Calls of which nobody knows whether they took effect. */
  unknown: number;
  requests: number;
  conflicts: number;
  faults: FaultCounts;
};

/** Far more than any schedule has. */
const MOST_STEPS = 50_000;
/** After which nothing of what clients and workers have sent is on its way any more. */
const QUIET_MS = 60_000;
const BRIEF_TTL_SECONDS = 1;
/** One of so many asks what comes next when all is over, which takes as long as a tenth of the schedule. */
const SCHEDULES_PER_LAST_NEXT = 4;
/** More than a schedule's nodes know. */
const NEXT_EVENTS = 1_000;

/** Plays the one schedule that the seed stands for, and checks what its callers saw and what is left in the store. */
export function runSchedule(seed: number, options: ScheduleOptions = {}): Promise<ScheduleResult> {
  return new Schedule(seed, options).play();
}

type OpenSession = { readonly sessionId: string; readonly nodeId: string; readonly name: string };

class Schedule {
  readonly #seed: number;
  readonly #world: World;
  readonly #plan: Plan;
  readonly #model: ModelStore;
  readonly #workers: readonly SimulatedWorker[];
  readonly #clients: readonly KatoClient[];
  readonly #history: History;
  readonly #sessions: (OpenSession | undefined)[] = [];
  /** The calls of one client on one session, as it made them. */
  readonly #lanes: SessionCall[][] = [];
  readonly #lastCalls: SessionCall[] = [];
  #requests = 0;
  #isOver = false;

  constructor(seed: number, { traces = false, sabotage }: ScheduleOptions) {
    this.#seed = seed;
    const world = new World(seed, { traces });
    this.#world = world;
    this.#plan = drawPlan(world.chance);
    const { stmLimit, workers, clients, retries, timeoutMs } = this.#plan;
    const retention = retentionOf(stmLimit);
    this.#model = new ModelStore(retention, () => world.storeNow());
    const shared = { model: this.#model, retention, sabotage };
    this.#workers = Array.from(
      { length: workers },
      (_, i) => new SimulatedWorker(`worker ${i + 1}`, world, shared),
    );
    const send = simulatedFetch(world, this.#workers);
    const options = {
      url: SIMULATED_URL,
      retries,
      timeoutMs,
      fetch: (url: string, init: RequestInit) => {
        this.#requests += 1;
        return send(url, init);
      },
    };
    const platform = platformIn(world);
    this.#clients = Array.from({ length: clients }, () => createClient(options, platform));
    this.#history = new History(world);
  }

  async play(): Promise<ScheduleResult> {
    const { scheduler, faults, trace = [] } = this.#world;
    const story = this.#tell();
    story.catch((error: unknown) => this.#world.fail(error));
    await scheduler.run(MOST_STEPS);
    this.#world.throwFailure();
    if (!this.#isOver) throw new Error("a call was never answered");
    const { calls } = this.#history;
    return {
      seed: this.#seed,
      violations: [...this.#history.oddities, ...this.#findViolations()],
      trace,
      calls: calls.length,
      unknown: calls.filter(({ outcome }) => outcome === "unknown").length,
      requests: this.#requests,
      conflicts: this.#workers.reduce((sum, worker) => sum + worker.conflicts, 0),
      faults: faults.counts,
    };
  }

  #findViolations(): string[] {
    const { nodes, stmLimit } = this.#plan;
    const { faults } = this.#world;
    return findViolations({
      calls: this.#history.decidedCalls,
      lanes: this.#lanes.map((made) => withoutLost(made, this.#world.rollback)),
      lastCalls: this.#lastCalls,
      nodes: [...new Set(nodes)].map((nodeId) => nodeContents(this.#model, nodeId)),
      stmLimit,
      hasFaults: Object.values(faults.counts).some((count) => count > 0),
    });
  }

  async #tell(): Promise<void> {
    const { nodes, lanes } = this.#plan;
    const { scheduler, faults } = this.#world;
    planTrouble(this.#world, this.#workers);
    await Promise.all(nodes.map((nodeId, i) => this.#create(nodeId, i)));
    planRollback(this.#world, this.#model);
    await Promise.all(lanes.map((lane) => this.#serve(lane)));
    faults.stop();
    await scheduler.sleep(QUIET_MS);
    for (const worker of this.#workers) worker.restart();
    // What all this has led to, as a caller sees it who comes when it is over.
    for (const session of this.#sessions) {
      if (session === undefined) continue;
      const handle = this.#clients[0]!.session.attach(session.sessionId);
      const read = await this.#call(session, handle, { kind: "stm" });
      this.#lastCalls.push(read);
      const asksNext = this.#seed % SCHEDULES_PER_LAST_NEXT === 0;
      if (asksNext && read.kind === "stm" && read.outcome === "ok") {
        await this.#checkNext(session, handle, read.reply.stm);
      }
    }
    this.#isOver = true;
  }

  /** Whether it is told what comes next as it is counted anew in what the node has learned by now. */
  async #checkNext({ nodeId, name }: OpenSession, handle: SessionHandle, stm: Stm): Promise<void> {
    const { sessionId: _, nodeId: __, time: ___, ...told } = await handle.next({ k: NEXT_EVENTS });
    const { memory } = this.#model.node(nodeTag(nodeId));
    const observed = stm.map((event) => [...event]);
    const due = nextEventsNaively(memory, observed, { limit: NEXT_EVENTS, horizon: 1 });
    if (isDeepStrictEqual(told, due)) return;
    this.#history.oddities.push(`${name} was told another next event than ${nodeId} knows`);
  }

  async #create(nodeId: string, index: number): Promise<void> {
    const [client] = this.#clients;
    const isBrief = this.#world.faults.strikes("session expiry");
    const ttlSeconds = isBrief ? BRIEF_TTL_SECONDS : undefined;
    const requestId = `create-${index + 1}`;
    const sessionId = await this.#history.create(nodeId, async () => {
      return (await client!.session.create({ nodeId, requestId, ttlSeconds })).sessionId;
    });
    if (sessionId === undefined) return;
    const session = { sessionId, nodeId, name: `session ${index + 1}` };
    this.#sessions[index] = session;
    this.#world.note(() => `${session.name} on ${nodeId} is ${sessionId.slice(-4)}`);
    if (isBrief) this.#history.noteMayExpire(session);
  }

  async #serve({ session: index, client, bursts }: Lane): Promise<void> {
    const session = this.#sessions[index];
    if (session === undefined) return;
    const handle = this.#clients[client]!.session.attach(session.sessionId);
    const made: SessionCall[] = [];
    this.#lanes.push(made);
    for (const { pauseMs, calls } of bursts) {
      await this.#world.scheduler.sleep(pauseMs);
      made.push(...(await Promise.all(calls.map((asked) => this.#call(session, handle, asked)))));
    }
  }

  async #call(session: OpenSession, handle: SessionHandle, asked: Asked): Promise<SessionCall> {
    const id = "id" in asked ? ` ${asked.id}` : "";
    const tell = (what: () => string) =>
      this.#world.note(() => `client: ${session.name} ${asked.kind}${id}${what()}`);
    tell(() => ` ${JSON.stringify({ ...asked, kind: undefined, id: undefined })}`);
    const ended = await this.#history.call(session, asked, () => ask(handle, asked));
    tell(() => ` ended: ${describeEnd(ended)}`);
    return ended;
  }
}

function describeEnd(call: SessionCall): string {
  if (call.outcome === "ok") return JSON.stringify(call.reply);
  const code = isKatoError(call.error) ? call.error.code : "";
  return `${code}, ${call.outcome === "failed" ? "without effect" : "effect unknown"}`;
}
