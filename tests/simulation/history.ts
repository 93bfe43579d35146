import { isKatoError } from "@kato-rpc/client";
import { rememberedId } from "../../server/sessions/session-change.ts";
import { CallRecorder } from "../support/history/call-recorder.ts";
import type { NoReply, Refusal } from "../support/history/recorded-call.ts";
import type { SessionCall, SessionCallOf } from "../support/history/session-call.ts";
import type { Asked } from "./asked.ts";
import { afterRollback } from "./rollback.ts";
import type { World } from "./world.ts";

type Place = { readonly sessionId: string; readonly nodeId: string };

/** How calls may end that ask nothing impossible. */
const EXPECTED: ReadonlySet<string> = new Set([
  "TIMEOUT",
  "CONNECTION_FAILED",
  "STORE_UNAVAILABLE",
  "SHUTTING_DOWN",
  "SESSION_NOT_FOUND",
  "SESSION_EXPIRED",
]);

/** As the service names them. */
const KINDS_OF_IDS = {
  observe: "observation",
  sequence: "sequence",
  learn: "learn",
  clear: "clear",
  configure: "configure",
} as const;

/** The calls of a schedule as their callers saw them, for the checker of histories. */
export class History {
  /** What no caller should ever see, in words. */
  readonly oddities: string[] = [];
  readonly #world: World;
  readonly #recorder: CallRecorder<SessionCall>;
  /** Beside those that clients made on sessions. */
  readonly #others: SessionCall[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#recorder = new CallRecorder(() => world.moment());
  }

  /** Throws while one is under way. */
  get calls(): readonly SessionCall[] {
    return [...this.#others, ...this.#recorder.calls];
  }

  /**
   * The calls, and of those of unknown outcome only such that may have taken effect: what the store never committed under
   * the call's id cannot, unless by a mistake. In the order in which they did, which the checker tries first: to try all
   * orders of many such calls is beyond any search. What a rollback has undone is left out.
   */
  get decidedCalls(): SessionCall[] {
    const { commits, rollback } = this.#world;
    const left = this.calls.flatMap((call) => afterRollback(call, keyOf(call), rollback));
    const timed = left.map((call): { call: SessionCall; at: number } => {
      const key = keyOf(call);
      if (call.outcome !== "unknown" || key === undefined) return { call, at: call.endedAt };
      const at = commits.get(key);
      return at === undefined
        ? { call: { ...call, outcome: "failed" }, at: call.endedAt }
        : { call, at };
    });
    return timed.sort((a, b) => a.at - b.at).map(({ call }) => call);
  }

  /** Gives the session's id; undefined if nobody knows whether there is one. */
  async create(node: string, run: () => Promise<string>): Promise<string | undefined> {
    const startedAt = this.#world.moment();
    try {
      const sessionId = await run();
      this.#others.push({
        kind: "create",
        session: sessionId,
        node,
        config: {},
        startedAt,
        endedAt: this.#world.moment(),
        outcome: "ok",
        reply: { sessionId, nodeId: node },
      });
      return sessionId;
    } catch (error) {
      this.#classify(error);
      return undefined;
    }
  }

  /** An expiry is to callers what a delete is of which nobody heard: at any moment, or never, and for good. */
  noteMayExpire({ sessionId, nodeId }: Place): void {
    const at = this.#world.moment();
    this.#others.push({
      kind: "delete",
      session: sessionId,
      node: nodeId,
      startedAt: at,
      endedAt: at,
      outcome: "unknown",
    } satisfies SessionCallOf<"delete">);
  }

  /** Does not reject when the call does. */
  async call(at: Place, asked: Asked, run: () => Promise<unknown>): Promise<SessionCall> {
    const placed = { ...asked, session: at.sessionId, node: at.nodeId };
    const call = await this.#recorder.record(
      run,
      (error) => this.#classify(error, asked.expectedTime),
      // What was asked and what came of it make the call; the SDK's types tell that they fit.
      (how) => ({ ...placed, ...how }) as unknown as SessionCall,
    );
    if (asked.expectedTime !== undefined) this.#checkTime(call, asked.expectedTime);
    return call;
  }

  /** Observed only at the time expected; or refused with the time that the session had then, which is as good as read. */
  #checkTime(call: SessionCall, expectedTime: number): void {
    const { session, node, startedAt, endedAt } = call;
    if (call.outcome === "ok") {
      if (call.kind !== "observe" || call.reply.time === expectedTime + 1) return;
      this.oddities.push(
        `${call.id}, for time ${expectedTime}, was observed as ${call.reply.time}`,
      );
    } else if (isKatoError(call.error, "TIME_CONFLICT")) {
      const time = call.error.details.actualTime ?? NaN;
      if (time === expectedTime) this.oddities.push(`time ${time} was refused as not ${time}`);
      const reply = { time, predictions: [], sessionId: session, nodeId: node };
      const read = { startedAt, endedAt, outcome: "ok", reply } as const;
      this.#others.push({ kind: "predict", session, node, ...read });
    }
  }

  #classify(error: unknown, expectedTime?: number): Omit<NoReply, "error"> {
    if (!isKatoError(error)) {
      this.#world.fail(error);
      return { outcome: "unknown" };
    }
    const refusal = refusalOf(error);
    const isForTime = expectedTime !== undefined && error.code === "TIME_CONFLICT";
    const isForId = error.details["reason"] === "ID_REUSED";
    if (refusal === undefined && !isForTime && !isForId && !EXPECTED.has(error.code)) {
      this.oddities.push(`a call failed with ${error.code}: ${error.message}`);
    }
    return { outcome: error.outcome === "no-effect" ? "failed" : "unknown", refusal };
  }
}

/** Of the change that the call makes, among the world's commits; undefined where it has no id. */
function keyOf(call: SessionCall): string | undefined {
  if (!("id" in call)) return undefined;
  const { sentId = call.id } = call as Asked;
  return `${call.session} ${rememberedId(KINDS_OF_IDS[call.kind], sentId)}`;
}

function refusalOf(error: unknown): Refusal | undefined {
  if (isKatoError(error, "SESSION_NOT_FOUND") || isKatoError(error, "SESSION_EXPIRED")) {
    return "SESSION_NOT_FOUND";
  }
  const isEmpty = isKatoError(error, "INVALID_INPUT") && error.details["reason"] === "EMPTY_STM";
  return isEmpty ? "EMPTY_STM" : undefined;
}
