import { Agent, request } from "node:http";
import type { ConcurrencyReport } from "@kato-rpc/shared/monitor.ts";
import { waitFor } from "../wait-for.ts";
import type { Procedure, WireReply } from "../wire.ts";
import { dataOf, PROCEDURES, readReply, rpcRequest } from "../wire.ts";

/** Makes its calls on one connection, which one worker serves, one after another. */
export type PinnedClient = {
  workerId: string;
  call<T>(procedure: Procedure, input: unknown): Promise<T>;
  /** The whole reply, error or not. */
  tryCall(procedure: Procedure, input: unknown): Promise<WireReply>;
  close(): void;
};

/** One client for each of `count` workers of a service: connections are opened until each has one. */
export function pinToWorkers(url: string, count: number): Promise<PinnedClient[]> {
  const clients = new Map<string, PinnedClient>();
  return waitFor(
    async () => {
      const client = await openClient(url);
      if (clients.has(client.workerId)) client.close();
      else clients.set(client.workerId, client);
      return clients.size === count ? [...clients.values()] : undefined;
    },
    { what: `connections to ${count} workers` },
  );
}

async function openClient(url: string): Promise<PinnedClient> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const tryCall = (procedure: Procedure, input: unknown) =>
    callOn({ url, agent }, procedure, input);
  const call = async <T>(procedure: Procedure, input: unknown) =>
    dataOf<T>(await tryCall(procedure, input));
  const report = await call<ConcurrencyReport>("monitor.concurrency", { scope: "worker" });
  const [own] = report.workers;
  return { workerId: own?.workerId ?? "", call, tryCall, close: () => agent.destroy() };
}

function callOn(
  connection: { url: string; agent: Agent },
  procedure: Procedure,
  input: unknown,
): Promise<WireReply> {
  const { hostname, port } = new URL(connection.url);
  const { method, path, headers, body } = rpcRequest(PROCEDURES[procedure], procedure, {
    json: input,
  });
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port, method, path, headers, agent: connection.agent },
      (response) => void readReply(response).then(resolve, reject),
    );
    sent.on("error", reject);
    sent.end(body);
  });
}
