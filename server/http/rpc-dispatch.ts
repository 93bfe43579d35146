import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { transformer } from "@kato-rpc/shared/transformer.ts";
import type { Context } from "../api/context.ts";
import { shapeError, toServiceError } from "../api/error-shape.ts";
import type { Procedure } from "../api/procedures.ts";
import { isAhead, PROCEDURES } from "../api/procedures.ts";
import { Deadlines } from "../deadlines.ts";
import type { Admission, Waiting } from "../monitor/admission.ts";
import type { CallMetrics } from "../monitor/call-metrics.ts";
import type { Answer, Asker } from "./answers.ts";
import { Answers } from "./answers.ts";
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

const PATHS = [...PROCEDURES.keys()];

type PendingCall = {
  call: TracedCall;
  /** Its place in the request. */
  index: number;
  /** Lets calls go on that wait behind this one; called when it is answered. */
  release: (() => void) | undefined;
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
  /** The one called last: most often the next call's too, and compared faster than looked up. */
  #latest: Procedure | undefined;

  constructor(parts: DispatchParts) {
    this.#parts = parts;
    this.#deadlines = new Deadlines(parts.deadlineMs);
  }

  /** One answer for each call, in their order. By callbacks: promises for that took a twentieth of a call. */
  answer(request: RpcRequest, requestId: string, asker: Asker): void {
    const pending = request.calls.map(({ path, payload }, index) =>
      this.#admit({
        path,
        payload,
        index,
        kind: request.kind,
        requestId: request.isBatch ? `${requestId}.${index}` : requestId,
      }),
    );
    const answers = new Answers(pending.length, asker);
    const [only] = pending;
    if (pending.length === 1 && only !== undefined) this.#settle(only, answers);
    else this.#settleInSessionOrder(pending, answers);
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
    index: number;
    kind: RpcRequest["kind"];
    requestId: string;
  }): PendingCall {
    const { path, payload, index, kind, requestId } = arrived;
    const { admission, deadlineMs, log, now } = this.#parts;
    const procedure = this.#find(path);
    const name = procedure?.path ?? "unknown";
    const deadlineAt = now() + deadlineMs;
    const call = new TracedCall({ requestId, procedure: name, deadlineAt }, log);
    call.trace("received");
    const pending: PendingCall = {
      call,
      index,
      release: undefined,
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
        if (isAhead(name)) admission.enterAhead();
        else pending.waiting = admission.enter();
      } catch (error) {
        pending.refusal = error as ServiceError;
      }
    }
    return pending;
  }

  #find(path: string): Procedure | undefined {
    if (this.#latest?.path !== path) this.#latest = PROCEDURES.get(path);
    return this.#latest;
  }

  /** Starts a call on a session once the call before it on the same session has its place in the session's queue. */
  #settleInSessionOrder(pending: readonly PendingCall[], answers: Answers): void {
    const sessionIds = pending.map(({ payload }) => sessionIdIn(payload));
    const left = countEach(sessionIds);
    const places = new Map<string, Promise<void>>();
    for (const one of pending) {
      const sessionId = sessionIds[one.index];
      if (sessionId === undefined) {
        this.#settle(one, answers);
        continue;
      }
      const followers = (left.get(sessionId) ?? 1) - 1;
      left.set(sessionId, followers);
      const before = places.get(sessionId);
      if (followers > 0) {
        const { promise: queued, resolve } = Promise.withResolvers<void>();
        places.set(sessionId, queued);
        one.call.onQueued = resolve;
        // A call refused out of turn must not let the next one past those before it.
        one.release = () => resolve(before);
      }
      this.#settle(one, answers, before);
    }
  }

  #settle(pending: PendingCall, answers: Answers, turn?: Promise<void>): void {
    const answer = (describe: () => Answer) => {
      try {
        answers.put(pending.index, describe());
      } catch (bug) {
        answers.fail(bug);
      } finally {
        pending.release?.();
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
