import { isUtf8 } from "node:buffer";
import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { LIMITS } from "@kato-rpc/shared/limits.ts";
import { parseJson } from "@kato-rpc/shared/parse-json.ts";

/** The calls of one HTTP request, in the order in which they were sent. */
export type RpcRequest = {
  isBatch: boolean;
  kind: "query" | "mutation";
  calls: { path: string; payload: unknown }[];
};

/** The parts of an HTTP request that say what is called; `path` is what follows `/trpc/`, still encoded. */
export type RpcRequestParts = {
  method: string;
  path: string;
  query: Readonly<Record<string, unknown>>;
  body: Buffer | undefined;
};

/**
 * Reads tRPC's HTTP wire: `GET path?input=…` for queries, `POST path` with a JSON body for mutations;
 * with `?batch=1` the path holds several names with commas between, and the input is an object with
 * one entry for each, keyed by its position.
 *
 * @throws ServiceError INVALID_INPUT, LIMIT_EXCEEDED: then no call of the request is made
 */
export function readRpcRequest(parts: RpcRequestParts): RpcRequest {
  const kind = parts.method === "POST" ? "mutation" : "query";
  const isBatch = parts.query["batch"] === "1";
  const path = decodePath(parts.path);
  const names = isBatch ? namesInBatch(path) : [];
  const payload =
    kind === "query" ? readInputParameter(parts.query["input"]) : readBody(parts.body);
  if (!isBatch) return { isBatch, kind, calls: [{ path, payload }] };

  if (payload !== undefined && (typeof payload !== "object" || payload === null)) {
    throw new ServiceError(
      "INVALID_INPUT",
      'the input of a batch is an object with one entry for each call, keyed by position: {"0":…,"1":…}',
    );
  }
  const inputs = (payload ?? {}) as Record<string, unknown>;
  const inputAt = (i: number) => (Object.hasOwn(inputs, i) ? inputs[i] : undefined);
  return { isBatch, kind, calls: names.map((name, i) => ({ path: name, payload: inputAt(i) })) };
}

/** @throws ServiceError LIMIT_EXCEEDED */
export function namesInBatch(path: string): string[] {
  const names = path.split(",");
  const { max, meaning } = LIMITS.callsPerBatch;
  if (names.length > max) {
    const message = `${names.length} calls in one batch: at most ${max} ${meaning}; send several batches`;
    throw new ServiceError("LIMIT_EXCEEDED", message, { limit: "callsPerBatch", max });
  }
  return names;
}

function decodePath(path: string): string {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw new ServiceError("INVALID_INPUT", "the path is not valid percent-encoding", { cause });
  }
}

function readInputParameter(input: unknown): unknown {
  if (input === undefined || input === "") return undefined;
  if (typeof input !== "string") {
    throw new ServiceError("INVALID_INPUT", "the query parameter `input` may stand only once");
  }
  return readJson(input, "the query parameter `input`");
}

function readBody(body: Buffer | undefined): unknown {
  if (body === undefined || body.length === 0) return undefined;
  const text = body.toString("utf8");
  // What is not valid becomes this character, which few bodies have: most need not be read a second time.
  if (text.includes("\uFFFD") && !isUtf8(body)) {
    throw new ServiceError("INVALID_INPUT", "the body is not valid UTF-8");
  }
  return readJson(text, "the body");
}

function readJson(text: string, what: string): unknown {
  try {
    return parseJson(text);
  } catch {
    // The parser's own message would repeat part of the payload.
    throw new ServiceError("INVALID_INPUT", `${what} is not valid JSON`);
  }
}
