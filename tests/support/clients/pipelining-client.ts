import { connect } from "node:net";
import type { RpcBody, RpcCall, RpcReply } from "./rpc-client.ts";
import { bodyOf } from "./rpc-client.ts";

/** All calls on one connection in one write, before the first answer: HTTP/1.1 pipelining. */
export function callByPipelining(url: string, calls: readonly RpcCall[]): Promise<RpcReply[]> {
  const { hostname, port, host } = new URL(url);
  return new Promise((resolve, reject) => {
    const replies: RpcReply[] = [];
    let received: Buffer = Buffer.alloc(0);
    const socket = connect(Number(port), hostname);
    socket.setNoDelay(true);
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`closed after ${replies.length} answers`)));
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (let next = takeReply(received); next !== undefined; next = takeReply(received)) {
        replies.push(next.reply);
        received = next.rest;
      }
      if (replies.length === calls.length) {
        resolve(replies);
        socket.destroy();
      }
    });
    socket.write(calls.map((call) => requestText(host, call)).join(""));
  });
}

function requestText(host: string, call: RpcCall): string {
  const body = bodyOf(call);
  const head = [
    `POST /trpc/${call.path} HTTP/1.1`,
    `host: ${host}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

function takeReply(received: Buffer): { reply: RpcReply; rest: Buffer } | undefined {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const head = received.subarray(0, headEnd).toString("latin1");
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
  const end = headEnd + 4 + length;
  if (received.length < end) return undefined;
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
  const body = JSON.parse(received.subarray(headEnd + 4, end).toString("utf8")) as RpcBody;
  return { reply: { status, body }, rest: received.subarray(end) };
}
