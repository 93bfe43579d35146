import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { transformer } from "@kato-rpc/shared/transformer.ts";
import type { Context } from "../api/context.ts";
import { shapeError, toServiceError } from "../api/error-shape.ts";
import type { Procedure } from "../api/procedures.ts";
import { isAhead, PROCEDURES } from "../api/procedures.ts";
import { Deadlines } from "../deadlines.ts";
import type { Admission, Waiting } from "../monitor/admission.ts";
import type { CallMetrics } from "../monitor/call-metrics.ts";
import type { CallLog } from "./call-log.ts";
import { TracedCall } from "./call-log.ts";
import { countEach } from "./count-each.ts";
import { procedureNotFound } from "./nearest-procedures.ts";
import type { RpcRequest } from "./rpc-request.ts";
import type { Logger } from "../log.ts";
import { writeEnvelope } from "./write-result.ts";

export type DispatchParts = {
  services: Omit<Context, "call">;
  admission: Admission;
  metrics: CallMetrics;
  callLog: CallLog;
  log: Logger;
  deadlineMs: number;
  now(): number;
};

/** What one call is answered: its part of the body, and what it asks of the response's head. */
export type Answer = { httpStatus: number; json: string; retryAfterMs: number | undefined };

const PATHS = [...PROCEDURES.keys()];

type PendingCall = {
  call: TracedCall;
  path: string;
  /** undefined together with a refusal. */
  procedure: Procedure | undefined;
  payload: unknown;
  /** The payload as read; undefined until then. */
  input: unknown;
  /** undefined: it runs; a refusal: it never will. */
  waiting: Waiting | undefined;
  refusal: ServiceError | undefined;
};

/**
 * Carries the calls of a request to the procedures and their results back, on tRPC's wire. Each call
 * is admitted, bounded in time, counted and logged by itself, and fails by itself.
 */
export class RpcDispatch {
  readonly #parts: DispatchParts;
  readonly #deadlines: Deadlines;

  constructor(parts: DispatchParts) {
    this.#parts = parts;
    this.#deadlines = new Deadlines(parts.deadlineMs);
  }

  /** One answer for each call, in their order. Never rejects. */
  async answer(request: RpcRequest, requestId: string): Promise<Answer[]> {
    const pending = request.calls.map(({ path, payload }, i) =>
      this.#admit({
        path,
        payload,
        kind: request.kind,
        requestId: request.isBatch ? `${requestId}.${i}` : requestId,
      }),
    );
    const [only] = pending;
    if (pending.length === 1 && only !== undefined) return [await this.#settle(only)];
    return Promise.all(this.#inSessionOrder(pending));
  }

  /** An answer for a request of which no call could be read. */
  refuse(error: unknown, requestId: string): Answer {
    const { log, now } = this.#parts;
    const call = new TracedCall({ requestId, procedure: "unknown", deadlineAt: now() }, log);
    return this.#describeError(error, { call, path: undefined, input: undefined });
  }

  #admit(arrived: {
    path: string;
    payload: unknown;
    kind: RpcRequest["kind"];
    requestId: string;
  }): PendingCall {
    const { path, payload, kind, requestId } = arrived;
    const { admission, deadlineMs, log, now } = this.#parts;
    const procedure = PROCEDURES.get(path);
    const name = procedure === undefined ? "unknown" : path;
    const deadlineAt = now() + deadlineMs;
    const call = new TracedCall({ requestId, procedure: name, deadlineAt }, log);
    call.trace("received");
    const pending: PendingCall = {
      call,
      path,
      procedure,
      payload,
      input: undefined,
      waiting: undefined,
      refusal: undefined,
    };
    if (procedure === undefined) {
      pending.refusal = procedureNotFound(path, PATHS);
    } else if (procedure.kind !== kind) {
      pending.refusal = wrongMethod(path, procedure.kind);
    } else {
      try {
        if (isAhead(path)) admission.enterAhead();
        else pending.waiting = admission.enter();
      } catch (error) {
        pending.refusal = error as ServiceError;
      }
    }
    return pending;
  }

  /** Starts a call on a session once the call before it on the same session has its place in the session's queue. */
  #inSessionOrder(pending: readonly PendingCall[]): Promise<Answer>[] {
    const sessionIds = pending.map(({ payload }) => sessionIdIn(payload));
    const left = countEach(sessionIds);
    const places = new Map<string, Promise<void>>();
    return pending.map((one, i) => {
      const sessionId = sessionIds[i];
      if (sessionId === undefined) return this.#settle(one);
      const followers = (left.get(sessionId) ?? 1) - 1;
      left.set(sessionId, followers);
      const before = places.get(sessionId);
      if (followers === 0) return this.#settle(one, before);
      const { promise: queued, resolve } = Promise.withResolvers<void>();
      places.set(sessionId, queued);
      one.call.onQueued = resolve;
      const answer = this.#settle(one, before);
      // A call refused out of turn must not let the next one past those before it.
      const release = () => resolve(before);
      answer.then(release, release);
      return answer;
    });
  }

  /** Rejects only by a bug of this class. */
  #settle(pending: PendingCall, turn?: Promise<void>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const answer = (describe: () => Answer) => {
        try {
          resolve(describe());
        } catch (bug) {
          reject(bug);
        }
      };
      const deadline = this.#deadlines.add(() =>
        answer(() => this.#describeError(this.#tooLate(pending), pending)),
      );
      this.#run(pending, turn).then(
        (data) => {
          if (deadline.meet()) answer(() => this.#describeResult(data, pending));
        },
        (error: unknown) => {
          if (deadline.meet()) answer(() => this.#describeError(error, pending));
        },
      );
    });
  }

  /** Runs to its end even when nobody waits any more: until then it counts as running. */
  async #run(pending: PendingCall, turn: Promise<void> | undefined): Promise<unknown> {
    const { admission } = this.#parts;
    const { sessions, directory, nodes, monitor } = this.#parts.services;
    const { call, procedure, payload, refusal } = pending;
    if (refusal !== undefined) throw refusal;
    if (pending.waiting !== undefined) await pending.waiting.admitted;
    call.trace("admitted");
    call.admission = admission;
    try {
      if (turn !== undefined) await turn;
      pending.input = transformer.deserialize(payload);
      return await procedure?.run({ sessions, directory, nodes, monitor, call }, pending.input);
    } finally {
      admission.leave();
    }
  }

  #tooLate(pending: PendingCall): ServiceError {
    if (pending.waiting?.giveUp() === true) {
      return this.#parts.admission.overloaded("the call waited too long for its turn");
    }
    return new ServiceError(
      "STORE_UNAVAILABLE",
      `the call was not done within ${this.#parts.deadlineMs} ms; whether it took effect is unknown, repeat it with the same id`,
    );
  }

  #describeResult(data: unknown, pending: PendingCall): Answer {
    const { call } = pending;
    const { metrics, callLog } = this.#parts;
    let json: string;
    try {
      json = resultJson(data, call);
    } catch (error) {
      return this.#describeError(error, pending);
    }
    const durationMs = performance.now() - call.startedAt;
    metrics.record({ procedure: call.procedure, outcome: "ok", durationMs });
    callLog.finished(call, "ok", durationMs);
    call.trace("replied", { outcome: "ok" });
    return { httpStatus: 200, json, retryAfterMs: undefined };
  }

  #describeError(
    thrown: unknown,
    { call, path, input }: Pick<PendingCall, "call" | "input"> & { path: string | undefined },
  ): Answer {
    const { metrics, callLog } = this.#parts;
    const error = toServiceError(thrown, input);
    if (error.code === "INTERNAL") callLog.bug(call, error.cause ?? error);
    if (error.code === "STORE_UNAVAILABLE" && error.cause !== undefined) {
      callLog.storeFailure(call, error.cause);
    }
    const durationMs = performance.now() - call.startedAt;
    metrics.record({ procedure: call.procedure, outcome: error.code, durationMs });
    call.sessionId ??= error.details.sessionId;
    callLog.finished(call, error.code, durationMs);
    call.trace("replied", { outcome: error.code });
    const shape = shapeError(error, { path, requestId: call.requestId });
    return {
      httpStatus: shape.data.httpStatus,
      json: `{"error":${JSON.stringify(transformer.serialize(shape))}}`,
      retryAfterMs: error.details.retryAfterMs,
    };
  }
}

function wrongMethod(path: string, declared: string): ServiceError {
  const [noun, method] = declared === "query" ? ["query", "GET"] : ["mutation", "POST"];
  return new ServiceError("INVALID_INPUT", `${path} is a ${noun}: call it by ${method}`, {
    reason: "METHOD",
  });
}

/**
 * `result` carries, beside tRPC's `data`, for which request and session it was computed. Request ids are made of
 * characters that stand for themselves.
 */
function resultJson(data: unknown, { requestId, sessionId, procedure }: TracedCall): string {
  const session = sessionId === undefined ? "" : `,"sessionId":${JSON.stringify(sessionId)}`;
  return `{"result":{"data":${writeEnvelope(procedure, data)},"requestId":"${requestId}"${session}}}`;
}

/** Only to keep calls on one session in order; what the call itself reads is validated. */
function sessionIdIn(payload: unknown): string | undefined {
  const json = (payload as { json?: unknown } | null | undefined)?.json;
  const sessionId = (json as { sessionId?: unknown } | null | undefined)?.sessionId;
  return typeof sessionId === "string" ? sessionId : undefined;
}
