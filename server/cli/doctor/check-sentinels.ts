import type { RedisConnection } from "../../stores/redis/connection.ts";
import type { HostPort, RedisAddress } from "../../stores/store-address.ts";
import type { Check } from "./check.ts";
import { fail, ok, warn } from "./check.ts";

type SentinelAddress = Extract<RedisAddress, { topology: "sentinel" }>;
type OpenNode = (address: RedisAddress, at: HostPort) => RedisConnection;

/** Whether the Sentinels know the group's master, and agree on it. */
export async function checkSentinels(address: SentinelAddress, openNode: OpenNode): Promise<Check> {
  const masters = await Promise.all(address.hosts.map((at) => askForMaster(address, at, openNode)));
  return judgeSentinels(address.name, masters);
}

/** The master's address as one Sentinel knows it, or why there is none. */
export type SentinelAnswer = { sentinel: string } & ({ master: string } | { problem: string });

async function askForMaster(
  address: SentinelAddress,
  at: HostPort,
  openNode: OpenNode,
): Promise<SentinelAnswer> {
  const sentinel = `${at.host}:${at.port}`;
  // The credentials are the master's: a Sentinel has none.
  const connection = openNode({ ...address, username: undefined, password: undefined }, at);
  try {
    const master = await connection.run((client) =>
      client.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", address.name),
    );
    if (!Array.isArray(master)) return { sentinel, problem: `knows no group ${address.name}` };
    return { sentinel, master: master.join(":") };
  } catch (error) {
    const { cause } = error as Error;
    return { sentinel, problem: cause instanceof Error ? cause.message : (error as Error).message };
  } finally {
    await connection.close();
  }
}

export function judgeSentinels(name: string, answers: readonly SentinelAnswer[]): Check {
  const problems = answers.flatMap((answer) =>
    "problem" in answer ? [`${answer.sentinel}: ${answer.problem}`] : [],
  );
  const masters = new Set(answers.flatMap((answer) => ("master" in answer ? answer.master : [])));
  const [master] = masters;
  if (master === undefined) {
    return fail("sentinel", problems.join("; "), "check hosts and group name in KATO_STORE");
  }
  if (masters.size > 1) {
    const found = `they disagree on the master of ${name}: ${[...masters].join(", ")}`;
    return fail(
      "sentinel",
      found,
      "wait for the failover to end; else SENTINEL RESET the odd ones",
    );
  }
  const found = `the master of ${name} is ${master}`;
  if (problems.length === 0) return ok("sentinel", found);
  return warn("sentinel", `${found}; ${problems.join("; ")}`, "bring the missing Sentinels back");
}
