import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import type { RpcBody, RpcCall, RpcReply } from "./rpc-client.ts";
import { bodyOf, urlOf } from "./rpc-client.ts";

/** `node:http` with an agent that keeps its connections alive; fewer connections than calls, so that they are reused. */
export async function callByNodeHttp(url: string, calls: readonly RpcCall[]): Promise<RpcReply[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  try {
    return await Promise.all(calls.map((call) => callOnce(url, call, agent)));
  } finally {
    agent.destroy();
  }
}

function callOnce(url: string, call: RpcCall, agent: Agent): Promise<RpcReply> {
  return new Promise((resolve, reject) => {
    const body = Buffer.from(bodyOf(call));
    const headers = { "content-type": "application/json", "content-length": body.length };
    const sent = request(urlOf(url, call), { method: "POST", agent, headers }, (response) => {
      text(response).then((received) => {
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(received) as RpcBody });
      }, reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
