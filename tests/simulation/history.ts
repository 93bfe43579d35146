import { isKatoError } from "@kato-rpc/client";
import { rememberedId } from "../../server/sessions/session-change.ts";
import { CallRecorder } from "../support/history/call-recorder.ts";
import type { NoReply, Refusal } from "../support/history/recorded-call.ts";
import type { SessionCall, SessionCallOf } from "../support/history/session-call.ts";
import type { Action } from "../support/load/workload.ts";
import type { World } from "./world.ts";

type Place = { readonly sessionId: string; readonly nodeId: string };

/** How calls may end that ask nothing impossible. */
const EXPECTED: ReadonlySet<string> = new Set([
  "TIMEOUT",
  "CONNECTION_FAILED",
  "STORE_UNAVAILABLE",
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
  readonly #created: SessionCall[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#recorder = new CallRecorder(() => world.moment());
  }

  /** Throws while one is under way. */
  get calls(): readonly SessionCall[] {
    return [...this.#created, ...this.#recorder.calls];
  }

  /**
   * The calls, and of those of unknown outcome only such that took effect or may have: too many that overlap are beyond
   * any search, and what the store never committed under the call's id cannot have happened, unless by a mistake.
   */
  get decidedCalls(): SessionCall[] {
    const { committedIds } = this.#world;
    return this.calls.map((call) => {
      if (call.outcome !== "unknown" || !("id" in call)) return call;
      const id = rememberedId(KINDS_OF_IDS[call.kind], call.id);
      return committedIds.has(`${call.session} ${id}`) ? call : { ...call, outcome: "failed" };
    });
  }

  /** Gives the session's id; undefined if nobody knows whether there is one. */
  async create(node: string, run: () => Promise<string>): Promise<string | undefined> {
    const startedAt = this.#world.moment();
    try {
      const sessionId = await run();
      this.#created.push({
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
    this.#created.push({
      kind: "delete",
      session: sessionId,
      node: nodeId,
      startedAt: at,
      endedAt: at,
      outcome: "unknown",
    } satisfies SessionCallOf<"delete">);
  }

  /** Does not reject when the call does. */
  call(at: Place, action: Action, run: () => Promise<unknown>): Promise<SessionCall> {
    const asked = { ...action, session: at.sessionId, node: at.nodeId };
    return this.#recorder.record(
      run,
      (error) => this.#classify(error),
      // What was asked and what came of it make the call; the SDK's types tell that they fit.
      (how) => ({ ...asked, ...how }) as unknown as SessionCall,
    );
  }

  #classify(error: unknown): Omit<NoReply, "error"> {
    if (!isKatoError(error)) {
      this.#world.fail(error);
      return { outcome: "unknown" };
    }
    const refusal = refusalOf(error);
    if (refusal === undefined && !EXPECTED.has(error.code)) {
      this.oddities.push(`a call failed with ${error.code}: ${error.message}`);
    }
    return { outcome: error.outcome === "no-effect" ? "failed" : "unknown", refusal };
  }
}

function refusalOf(error: unknown): Refusal | undefined {
  if (isKatoError(error, "SESSION_NOT_FOUND") || isKatoError(error, "SESSION_EXPIRED")) {
    return "SESSION_NOT_FOUND";
  }
  const isEmpty = isKatoError(error, "INVALID_INPUT") && error.details["reason"] === "EMPTY_STM";
  return isEmpty ? "EMPTY_STM" : undefined;
}
