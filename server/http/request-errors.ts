import type { IncomingMessage } from "node:http";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { LIMITS } from "@kato-rpc/shared/limits.ts";
import type { Answer } from "./answers.ts";

/** What Fastify and Node say of a request that they refuse. */
export type FailedRequest = Error & { code?: string; statusCode?: number };

/** What Fastify and Node refuse by themselves, as errors of the catalogue; undefined for anything else. */
export function requestError(error: FailedRequest): ServiceError | undefined {
  switch (error.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return over("requestBodyBytes");
    case "HPE_HEADER_OVERFLOW":
      return over("headerBytes");
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new ServiceError("INVALID_INPUT", "send the body as content-type: application/json", {
        reason: "CONTENT_TYPE",
      });
    case "FST_ERR_BAD_URL":
      return new ServiceError("INVALID_INPUT", "the URL is not valid percent-encoding");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new ServiceError("INVALID_INPUT", "the request did not arrive whole in time");
    default:
      break;
  }
  if (error.code?.startsWith("HPE_") === true) {
    return new ServiceError("INVALID_INPUT", "this is not valid HTTP/1.1");
  }
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return new ServiceError("INVALID_INPUT", "the request is not valid HTTP for this service");
  }
  return undefined;
}

export function over(limit: "requestBodyBytes" | "urlCharacters" | "headerBytes"): ServiceError {
  const { max, meaning } = LIMITS[limit];
  const message = `over a limit: at most ${max.toLocaleString("en")} ${meaning}; send less, or several requests`;
  return new ServiceError("LIMIT_EXCEEDED", message, { limit, max });
}

export function hostMissing(): ServiceError {
  return new ServiceError("INVALID_INPUT", "an HTTP/1.1 request needs the header host");
}

/** How long a refused client may go on sending before its connection is cut. */
const LINGER_MS = 5_000;

/**
 * Takes the rest of a refused request and throws it away: closing the connection while the client
 * still sends would reset it and take the answer with it.
 */
export function letFinishSending(request: IncomingMessage): void {
  if (request.complete) return;
  request.resume();
  const timer = setTimeout(() => request.socket.destroy(), LINGER_MS);
  request.once("close", () => clearTimeout(timer));
}

/**
 * Answers on a connection whose request Node could not parse, then lets the client finish sending:
 * closing at once would reset the connection and take the answer with it.
 */
export function answerOnSocket(socket: Socket, answer: Answer, requestId: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = Buffer.from(answer.json);
  const head = [
    `HTTP/1.1 ${answer.httpStatus} ${STATUS_CODES[answer.httpStatus] ?? ""}`,
    "content-type: application/json; charset=utf-8",
    `content-length: ${body.length}`,
    `x-request-id: ${requestId}`,
    "connection: close",
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  socket.end(body);
  // The HTTP parser has let go of the socket's data: take it and throw it away.
  socket.removeAllListeners("data");
  socket.on("data", () => undefined);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
}
