import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import type { KatoErrorShape } from "@kato-rpc/server/api/error-shape.ts";
import { isErrorCode } from "@kato-rpc/shared/errors.ts";
import { transformer } from "@kato-rpc/shared/transformer.ts";
import type { KatoErrorOptions } from "../errors.ts";
import { KatoError } from "../errors.ts";
import type { Batch } from "./batch.ts";
import type { Call } from "./call.ts";

/** What came of one call in one attempt. */
export type Reply = { data: unknown; error?: never } | FailedReply;
export type FailedReply = { error: KatoError; retryAfterMs: number; data?: never };

export type HttpReply = {
  /** The `x-request-id` that was sent. */
  requestId: string;
  status: number;
  retryAfterMs: number;
  text: string;
};

/** What a gateway answers when the service behind it could not be reached or had no time. */
const GATEWAY_STATUS = new Set([429, 502, 503, 504]);

/**
 * The replies to the calls of a batch, in their order. Each must carry the request id sent with it and
 * the session asked for; else it is an answer to somebody else, and a MISROUTED error.
 */
export function readReplies(batch: Batch, http: HttpReply): Reply[] {
  const { entries } = batch;
  const all = (error: KatoError) =>
    entries.map((): Reply => ({ error, retryAfterMs: retryAfter(error, http) }));
  let body: unknown;
  try {
    body = parseJson(http.text);
  } catch (cause) {
    return all(notFromService(http, cause));
  }
  if (!Array.isArray(body)) {
    const isRefusal = isRecord(body) && isRecord(body["error"]);
    if (entries.length > 1 && !isRefusal) return all(invalidReply(http, "no list of results"));
    return entries.map(({ call }) =>
      readReply(body, { call, http, requestId: http.requestId, isRefusal }),
    );
  }
  if (entries.length === 1 || body.length !== entries.length) {
    return all(invalidReply(http, `${body.length} results for ${entries.length} calls`));
  }
  return entries.map(({ call }, i) =>
    readReply(body[i], { call, http, requestId: `${http.requestId}.${i}`, isRefusal: false }),
  );
}

type Expected = {
  call: Call;
  http: HttpReply;
  requestId: string;
  /** An error that may concern the request as a whole. */
  isRefusal: boolean;
};

function readReply(item: unknown, expected: Expected): Reply {
  try {
    if (!isRecord(item)) throw invalidReply(expected.http, "a result that is no object");
    if (isRecord(item["error"])) throw readError(item["error"], expected);
    const result = item["result"];
    if (!isRecord(result)) throw invalidReply(expected.http, "neither result nor error");
    checkRoute(result, expected);
    return { data: transformer.deserialize(result["data"]) };
  } catch (thrown) {
    const error =
      thrown instanceof KatoError
        ? thrown
        : invalidReply(expected.http, "a result that cannot be decoded", thrown);
    return { error, retryAfterMs: retryAfter(error, expected.http) };
  }
}

/** @throws KatoError MISROUTED, INVALID_REPLY */
function checkRoute(
  { requestId, sessionId }: Record<string, unknown>,
  { call, http, requestId: sent }: Pick<Expected, "call" | "http" | "requestId">,
): void {
  if (typeof requestId !== "string") throw invalidReply(http, "a result without request id");
  if (requestId !== sent) throw misrouted(call, sent, `request ${requestId}`);
  if (call.sessionId === undefined || sessionId === call.sessionId) return;
  if (sessionId === undefined) throw invalidReply(http, "a result without session id");
  throw misrouted(call, sent, `session ${JSON.stringify(sessionId)}`);
}

function readError(wire: unknown, expected: Expected): KatoError {
  const { call, http, isRefusal } = expected;
  const shape = transformer.deserialize(wire) as KatoErrorShape | undefined;
  const data: unknown = shape?.data;
  if (shape === undefined || !isRecord(data) || !isErrorCode(data["kato"])) {
    return notFromService(http, wire);
  }
  const { requestId, sessionId, path } = shape.data;
  // A request that could not be parsed is refused under an id that the service made.
  const isUnread = isRefusal && path === undefined;
  const isForeign = !isUnread && requestId !== (isRefusal ? http.requestId : expected.requestId);
  if (isForeign) return misrouted(call, expected.requestId, `request ${requestId}`);
  if (sessionId !== undefined && call.sessionId !== undefined && sessionId !== call.sessionId) {
    return misrouted(call, expected.requestId, `session ${JSON.stringify(sessionId)}`);
  }
  return fromShape(shape);
}

function fromShape(shape: KatoErrorShape): KatoError {
  const { code: _, httpStatus: __, path: ___, kato, requestId, ...details } = shape.data;
  return new KatoError(kato, shape.message, { requestId, details, shape });
}

function misrouted(call: Call, requestId: string, got: string): KatoError {
  return new KatoError(
    "MISROUTED",
    `${call.path}: sent as request ${requestId} for session ${call.sessionId ?? "none"}, answered with the reply of ${got}`,
    { requestId, details: call.sessionId === undefined ? {} : { sessionId: call.sessionId } },
  );
}

function invalidReply(
  { requestId, status }: HttpReply,
  what: string,
  cause?: KatoErrorOptions["cause"],
): KatoError {
  return new KatoError(
    "INVALID_REPLY",
    `got ${what} (HTTP ${status}): is this a kato-rpc service?`,
    {
      requestId,
      cause,
    },
  );
}

/** Not this service's protocol: a gateway without the service, or something else altogether. */
function notFromService(http: HttpReply, cause: unknown): KatoError {
  if (!GATEWAY_STATUS.has(http.status))
    return invalidReply(http, "no reply in JSON of this service", cause);
  const message = `a gateway answered HTTP ${http.status} in place of the service`;
  return new KatoError("CONNECTION_FAILED", message, { requestId: http.requestId, cause });
}

function retryAfter(error: KatoError, http: HttpReply): number {
  return error.details.retryAfterMs ?? http.retryAfterMs;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
