import type { Agent, IncomingHttpHeaders } from "node:http";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { appRouter } from "../../server/api/router.ts";
import type { ErrorCode, ErrorDetails } from "@kato-rpc/shared/errors.ts";

export type HttpReply = { status: number; headers: IncomingHttpHeaders; text: string };

export type HttpOptions = {
  method?: "GET" | "POST";
  body?: string;
  headers?: Record<string, string>;
  /** Left out: a connection of its own, closed after the answer. */
  agent?: Agent;
};

/** One HTTP request by `node:http`; rejects when the connection breaks. */
export function send(url: string, options: HttpOptions = {}): Promise<HttpReply> {
  const { method = "GET", body, headers = {}, agent } = options;
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method,
        agent: agent ?? false,
        headers: {
          ...(body === undefined
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
          ...headers,
        },
      },
      (response) => {
        text(response).then(
          (received) =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text: received,
            }),
          reject,
        );
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

export type CallOptions = { headers?: Record<string, string>; agent?: Agent };

/** What an unbatched call was answered; one of `data` and `error` is undefined. */
export type CallReply<T> = {
  status: number;
  headers: IncomingHttpHeaders;
  requestId: string | undefined;
  data: T | undefined;
  error:
    | ({ message: string; kato: ErrorCode; requestId: string; httpStatus: number } & ErrorDetails)
    | undefined;
};

/** Calls a procedure by itself, a query by GET and a mutation by POST; answers of any status resolve. */
export async function call<T>(
  url: string,
  path: string,
  { input, ...options }: CallOptions & { input?: unknown } = {},
): Promise<CallReply<T>> {
  const json = input === undefined ? undefined : JSON.stringify({ json: input });
  const isQuery = KINDS[path] === "query";
  const parameter = json === undefined ? "" : `?input=${encodeURIComponent(json)}`;
  const { status, headers, text } = await send(`${url}/trpc/${path}${isQuery ? parameter : ""}`, {
    ...options,
    ...(isQuery ? {} : { method: "POST", body: json ?? "{}" }),
  });
  const { result, error } = JSON.parse(text) as {
    result?: { data: { json: T }; requestId: string };
    error?: { json: { message: string; data: NonNullable<CallReply<T>["error"]> } };
  };
  return {
    status,
    headers,
    requestId: result?.requestId,
    data: result?.data.json,
    error: error === undefined ? undefined : { ...error.json.data, message: error.json.message },
  };
}

/** As `call`, but the data at once; throws when the call was refused. */
export async function dataOf<T>(
  url: string,
  path: string,
  options?: CallOptions & { input?: unknown },
): Promise<T> {
  const { status, data, error } = await call<T>(url, path, options);
  if (data === undefined)
    throw new Error(`${path} was answered ${status}: ${JSON.stringify(error)}`);
  return data;
}

/** Creates a session and gives its id. */
export async function createSession(url: string, nodeId = "node"): Promise<string> {
  const { sessionId } = await dataOf<{ sessionId: string }>(url, "session.create", {
    input: { nodeId },
  });
  return sessionId;
}

// Flat at run time, whatever its type says: a path for each procedure.
const PROCEDURES = appRouter._def.procedures as unknown as Record<
  string,
  { _def: { type: string } }
>;

const KINDS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(PROCEDURES).map(([path, procedure]) => [path, procedure._def.type]),
);
