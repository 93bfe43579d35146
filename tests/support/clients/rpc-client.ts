/** One mutation to be sent by itself, unbatched. */
export type RpcCall = { path: string; input: unknown };

/** The status and the parsed body of its answer. */
export type RpcReply = { status: number; body: RpcBody };

export type RpcBody = {
  result?: { data: { json: unknown }; requestId: string; sessionId?: string };
  error?: { json: { message: string; data: { kato: string; requestId: string } } };
};

/** A kind of HTTP client: sends all calls at once and gives their answers in the same order. */
export type RpcClient = (url: string, calls: readonly RpcCall[]) => Promise<RpcReply[]>;

export function bodyOf(call: RpcCall): string {
  return JSON.stringify({ json: call.input });
}

export function urlOf(url: string, call: RpcCall): string {
  return `${url}/trpc/${call.path}`;
}
