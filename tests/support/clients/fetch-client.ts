import type { RpcBody, RpcCall, RpcReply } from "./rpc-client.ts";
import { bodyOf, urlOf } from "./rpc-client.ts";

/** One `fetch` for each call. */
export function callByFetch(url: string, calls: readonly RpcCall[]): Promise<RpcReply[]> {
  return Promise.all(
    calls.map(async (call) => {
      const response = await fetch(urlOf(url, call), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: bodyOf(call),
      });
      return { status: response.status, body: (await response.json()) as RpcBody };
    }),
  );
}

/** A query by `fetch`, its data or an error that shows what came instead. */
export async function query<T>(url: string, path: string, input: unknown): Promise<T> {
  const parameter = encodeURIComponent(JSON.stringify({ json: input }));
  const response = await fetch(`${url}/trpc/${path}?input=${parameter}`);
  return dataOf<T>({ status: response.status, body: (await response.json()) as RpcBody });
}

/** A mutation by `fetch`, likewise. */
export async function mutate<T>(url: string, path: string, input: unknown): Promise<T> {
  const [reply] = await callByFetch(url, [{ path, input }]);
  return dataOf<T>(reply!);
}

export function dataOf<T>(reply: RpcReply): T {
  if (reply.body.result === undefined) {
    throw new Error(`answered ${reply.status}: ${JSON.stringify(reply.body)}`);
  }
  return reply.body.result.data.json as T;
}
