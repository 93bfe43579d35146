import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:http";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import type { ErrorCode, ErrorDetails } from "@kato-rpc/shared/errors.ts";
import { ERROR_CATALOGUE } from "@kato-rpc/shared/errors.ts";
import { transformer } from "@kato-rpc/shared/transformer.ts";
import { expect } from "vitest";

/** Every procedure, with the kind of call it is. */
export const PROCEDURES = {
  "session.create": "mutation",
  "session.get": "query",
  "session.exists": "query",
  "session.list": "query",
  "session.count": "query",
  "session.extend": "mutation",
  "session.configure": "mutation",
  "session.delete": "mutation",
  "session.observe": "mutation",
  "session.observeSequence": "mutation",
  "session.learn": "mutation",
  "session.predict": "query",
  "session.next": "query",
  "session.cognition": "query",
  "session.stm": "query",
  "session.clearStm": "mutation",
  "session.percept": "query",
  "node.list": "query",
  "node.stats": "query",
  "node.patterns": "query",
  "node.pattern": "query",
  "node.correct": "mutation",
  "node.forget": "mutation",
  "node.symbols": "query",
  "node.finalize": "mutation",
  "node.clear": "mutation",
  "monitor.concurrency": "query",
  "monitor.health": "query",
  "monitor.stats": "query",
} as const;
export type Procedure = keyof typeof PROCEDURES;

export type WireError = {
  message: string;
  code: number;
  data: {
    code: string;
    httpStatus: number;
    kato: ErrorCode;
    requestId: string;
    path?: string;
  } & ErrorDetails;
};

/** One call's part of a reply, as it stands in the body. */
export type WireItem = {
  result?: { data: { json: unknown; meta?: unknown }; requestId: string; sessionId?: string };
  error?: { json: WireError };
};

/** A whole HTTP reply; `body` is its parsed JSON. */
export type WireReply = { status: number; headers: Record<string, string>; body: unknown };

/** An envelope around an input; `meta` as superjson writes it. */
export type Input = { json: unknown; meta?: unknown };

export type WireCall = { path: string; input?: unknown };

const JSON_TYPE = { "content-type": "application/json" };

/** What a call is answered: its data with real dates. Throws the reply when it is an error. */
export async function call<T>(url: string, procedure: Procedure, input?: unknown): Promise<T> {
  const reply = await tryCall(url, procedure, input);
  return dataOf<T>(reply);
}

/** As `call`, with the whole reply, error or not. */
export function tryCall(url: string, procedure: Procedure, input?: unknown): Promise<WireReply> {
  return tryEnvelope(url, procedure, input === undefined ? undefined : { json: input });
}

/** As `tryCall`, for an input that says more than `json`. */
export function tryEnvelope(
  url: string,
  procedure: Procedure,
  envelope: Input | undefined,
): Promise<WireReply> {
  return send(url, rpcRequest(PROCEDURES[procedure], procedure, envelope));
}

/** Several calls of one kind in one request. */
export async function batch(
  url: string,
  kind: "query" | "mutation",
  calls: readonly WireCall[],
): Promise<WireReply & { items: WireItem[] }> {
  const names = calls.map(({ path }) => path).join(",");
  const inputs = Object.fromEntries(
    calls.flatMap(({ input }, i) => (input === undefined ? [] : [[i, { json: input }]])),
  );
  const reply = await send(url, rpcRequest(kind, `${names}?batch=1`, inputs));
  return { ...reply, items: reply.body as WireItem[] };
}

/** One request of tRPC's wire; `path` may end in a query. */
export function rpcRequest(
  kind: "query" | "mutation",
  path: string,
  payload: unknown,
): WireRequest {
  const text = payload === undefined ? undefined : JSON.stringify(payload);
  if (kind === "mutation") {
    return { method: "POST", path: `/trpc/${path}`, headers: JSON_TYPE, body: text };
  }
  const mark = path.includes("?") ? "&" : "?";
  const query = text === undefined ? "" : `${mark}input=${encodeURIComponent(text)}`;
  return { method: "GET", path: `/trpc/${path}${query}` };
}

export type WireRequest = {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer | undefined;
};

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** Any request by `node:http` on connections that stay open; the path goes out as it stands. */
export async function send(url: string, request: WireRequest): Promise<WireReply> {
  return parseText(await sendForText(url, request));
}

/** A whole HTTP reply as it came. */
export type TextReply = { status: number; headers: Record<string, string>; text: string };

/** As `send`, whatever the reply is. */
export function sendForText(
  url: string,
  { method = "GET", path, headers, body }: WireRequest,
): Promise<TextReply> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const isChunked = headers?.["transfer-encoding"] !== undefined;
    const length =
      body === undefined || isChunked ? {} : { "content-length": Buffer.byteLength(body) };
    const sent = request(
      { hostname, port, method, path, agent, headers: { ...length, ...headers } },
      (response) => void readText(response).then(resolve, reject),
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

export async function readReply(response: IncomingMessage): Promise<WireReply> {
  return parseText(await readText(response));
}

async function readText(response: IncomingMessage): Promise<TextReply> {
  const headers = Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
  );
  return { status: response.statusCode ?? 0, headers, text: await text(response) };
}

function parseText({ status, headers, text }: TextReply): WireReply {
  const isJson = headers["content-type"]?.startsWith("application/json") === true;
  return { status, headers, body: isJson && text !== "" ? (JSON.parse(text) as unknown) : text };
}

/** A reply that `fetch` got. */
export async function replyOf(response: Response): Promise<WireReply> {
  const body = await response.json();
  return { status: response.status, headers: Object.fromEntries(response.headers), body };
}

/** The data of a reply, or of one item of a batch. */
export function dataOf<T>(reply: WireReply | WireItem): T {
  const item = itemOf(reply);
  if (item.result === undefined) throw new Error(`answered ${JSON.stringify(item)}`);
  return transformer.deserialize(item.result.data) as T;
}

export function errorOf(reply: WireReply | WireItem): WireError {
  const item = itemOf(reply);
  if (item.error === undefined) throw new Error(`no error but ${JSON.stringify(item)}`);
  return item.error.json;
}

function itemOf(reply: WireReply | WireItem): WireItem {
  return "status" in reply ? (reply.body as WireItem) : reply;
}

/** Checks status and shape of an unbatched refusal as every error of the service has them, and gives it. */
export function expectError(reply: WireReply, kato: ErrorCode): WireError {
  expect(reply.body).toEqual({ error: { json: anError(kato) } });
  const error = errorOf(reply);
  expect(reply.status).toBe(ERROR_CATALOGUE[kato].http);
  expect(reply.headers["content-type"]).toBe("application/json; charset=utf-8");
  expect(reply.headers["x-request-id"]).toBe(error.data.requestId);
  return error;
}

/** The shape of an error of this code. */
export function anError(kato: ErrorCode): unknown {
  return {
    message: expect.stringMatching(/\S/),
    code: expect.any(Number),
    data: expect.objectContaining({
      code: expect.stringMatching(/^[A-Z_]+$/),
      httpStatus: ERROR_CATALOGUE[kato].http,
      kato,
      requestId: expect.stringMatching(/^[\w.:~-]{1,139}$/),
    }),
  };
}

/** A connection by hand, for what no client would send. */
export class RawConnection {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #closed = false;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect(Number(port), hostname);
    this.socket.on("data", (data: Buffer) => {
      this.#received = Buffer.concat([this.#received, data]);
    });
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => {
      this.#closed = true;
    });
  }

  write(data: string | Buffer): void {
    this.socket.write(data);
  }

  /** The next whole reply; rejects when the connection ends without one. */
  async reply(): Promise<WireReply> {
    for (;;) {
      const parsed = parseReply(this.#received);
      if (parsed !== undefined) {
        this.#received = this.#received.subarray(parsed.length);
        return parsed.reply;
      }
      if (this.#closed) {
        throw new Error(`the connection ended after ${JSON.stringify(this.#received.toString())}`);
      }
      await Promise.race([once(this.socket, "data"), once(this.socket, "close")]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    const closed = once(this.socket, "close");
    this.socket.destroy();
    await closed;
  }
}

/** The reply at the start of `received`, which states its length; undefined until all of it is there. */
function parseReply(received: Buffer): { reply: WireReply; length: number } | undefined {
  const end = received.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [statusLine = "", ...lines] = received.subarray(0, end).toString("latin1").split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const length = end + 4 + Number(headers["content-length"]);
  if (Number.isNaN(length)) throw new Error(`a reply without length: ${statusLine}`);
  if (received.length < length) return undefined;
  const body = JSON.parse(received.subarray(end + 4, length).toString()) as unknown;
  return { reply: { status: Number(statusLine.split(" ")[1]), headers, body }, length };
}

/** A request as text, with Host and Content-Length. */
export function requestText({ method = "GET", path, headers = {}, body }: WireRequest): string {
  const all: Record<string, string> = { host: "kato", ...headers };
  if (body !== undefined && all["transfer-encoding"] === undefined)
    all["content-length"] = String(Buffer.byteLength(body));
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${String(body ?? "")}`;
}
