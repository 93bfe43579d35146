import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { freezeProcess } from "../support/faults/frozen-process.ts";
import { load } from "../support/open-loop/load.ts";
import { findProcessTree } from "../support/process-usage.ts";
import { waitFor } from "../support/wait-for.ts";

const RATE = 1_000;
const SECONDS = 2;
const STALL_MS = 500;

async function startAnswering() {
  let requests = 0;
  let held: (() => void)[] | undefined;
  const server = createServer((request, response) => {
    requests += 1;
    request.resume();
    const answer = () => void response.end("{}");
    if (held === undefined) answer();
    else held.push(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    /** Keeps the answers to so many calls that come from now on, then gives them. */
    async stall(calls: number) {
      const keptBack: (() => void)[] = [];
      held = keptBack;
      await waitFor(() => keptBack.length >= calls, { what: "calls during the stall" });
      held = undefined;
      for (const answer of keptBack) answer();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function startLoad(url: string) {
  return load({
    url,
    shape: "plain",
    callsPerRequest: 1,
    sessionIds: ["s"],
    seconds: SECONDS,
    ratePerSecond: RATE,
    connections: 2 * RATE,
  });
}

describe("an open loop", () => {
  it("goes on calling a server that stalls, and counts how long each call waited", async () => {
    await using server = await startAnswering();

    const loaded = startLoad(server.url);
    await waitFor(() => server.requests() >= RATE / 2, { what: "some calls" });
    await server.stall((RATE * STALL_MS) / 1_000);
    const { made, unsent, latencies } = await loaded;

    expect([made, unsent, latencies.ok.count]).toEqual([RATE * SECONDS, 0, RATE * SECONDS]);
    // A quarter of the calls came during the stall, spread over it.
    expect(latencies.ok.p99).toBeGreaterThan(STALL_MS * 0.8);
  });

  it("counts from when calls were due where it could not make them then", async () => {
    await using server = await startAnswering();

    const loaded = startLoad(server.url);
    await waitFor(() => server.requests() >= RATE / 2, { what: "some calls" });
    const generators = findProcessTree(process.pid).filter((pid) => pid !== process.pid);
    const frozen = await freezeProcess(Math.max(...generators));
    await delay(STALL_MS);
    frozen?.resume();
    const { made, latencies, lag } = await loaded;

    expect(generators).toHaveLength(1);
    expect([made, latencies.ok.count]).toEqual([RATE * SECONDS, RATE * SECONDS]);
    expect(lag.p99).toBeGreaterThan(STALL_MS * 0.8);
    expect(latencies.ok.p99).toBeGreaterThan(STALL_MS * 0.8);
  });
});
