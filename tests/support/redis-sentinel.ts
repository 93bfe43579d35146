import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { freePort } from "./free-port.ts";
import type { StartedProcess } from "./processes.ts";
import { startProcess } from "./processes.ts";
import { findRedisServer } from "./redis-binary.ts";
import { closeRedisClient, openRedisClient } from "./redis-client.ts";
import type { RedisServer, RedisServerOptions } from "./redis-server.ts";
import { startRedis } from "./redis-server.ts";
import type { TemporaryDirectory } from "./temporary-directory.ts";
import { makeTemporaryDirectory } from "./temporary-directory.ts";
import { waitFor } from "./wait-for.ts";

const GROUP = "test-group";
const HOST = "127.0.0.1";
const READY_TIMEOUT_MS = 30_000;

export interface RedisSentinelOptions {
  /** None when left out. */
  replicas?: number;
  /** 1 when left out; a majority of them must agree on a failover. */
  sentinels?: number;
  /**
   * Silence after which a sentinel takes the master for down; 30,000 when left out, as by default. Sentinels connect to a
   * new master a second after its election: with less than 2,000 they take it for down, alive as it is, and elect again.
   */
  downAfterMs?: number;
  /** As for a single server; "no" when left out. */
  appendOnly?: NonNullable<RedisServerOptions["appendOnly"]>;
  /** More directives of the master and its replicas. */
  config?: NonNullable<RedisServerOptions["config"]>;
}

/** Starts a master with its replicas, and sentinels that know them and each other. */
export async function startRedisSentinel(
  options: RedisSentinelOptions = {},
): Promise<RedisSentinel> {
  const { replicas = 0, sentinels = 1, downAfterMs = 30_000, appendOnly = "no" } = options;
  const config = { "repl-diskless-sync-delay": "0", "shutdown-timeout": "0", ...options.config };
  const group = new RedisSentinel(await startRedis({ appendOnly, config }));
  try {
    const { host, port } = group.master;
    const replicaConfig = { ...config, replicaof: `${host} ${port}` };
    while (group.replicas.length < replicas)
      group.replicas.push(await startRedis({ appendOnly, config: replicaConfig }));
    // What a sentinel finds at its first look, it knows at once; the next look is 10 s later.
    await group.untilReplicated();
    const quorum = Math.floor(sentinels / 2) + 1;
    while (group.sentinels.length < sentinels)
      group.sentinels.push(await startSentinel({ masterPort: port, quorum, downAfterMs }));
    await group.untilKnown();
    return group;
  } catch (error) {
    await group.close();
    throw error;
  }
}

type Sentinel = {
  readonly port: number;
  readonly process: StartedProcess;
  readonly admin: Redis;
  readonly directory: TemporaryDirectory;
};

/** The servers and sentinels of one test; `close` ends them all. */
export class RedisSentinel implements AsyncDisposable {
  /** The one that started as master. */
  readonly master: RedisServer;
  /** Those that started as replicas. */
  readonly replicas: RedisServer[] = [];
  readonly sentinels: Sentinel[] = [];

  constructor(master: RedisServer) {
    this.master = master;
  }

  /** `redis+sentinel://127.0.0.1:p1,…/NAME`, all sentinels named. */
  get url(): string {
    return `redis+sentinel://${this.sentinels.map(({ port }) => `${HOST}:${port}`).join(",")}/${GROUP}`;
  }

  get servers(): readonly RedisServer[] {
    return [this.master, ...this.replicas];
  }

  /** Times that the first sentinel has heard of another master. */
  get switchCount(): number {
    const lines = this.sentinels[0]?.process.stdout ?? [];
    return lines.filter((line) => line.includes("+switch-master")).length;
  }

  /** The master that the first sentinel names. */
  async currentMaster(): Promise<RedisServer> {
    const [sentinel] = this.sentinels;
    const address = await sentinel?.admin.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", GROUP);
    const [, port] = address as [string, string];
    const server = this.servers.find((each) => each.port === Number(port));
    if (server === undefined) throw new Error(`no server of the group has port ${port}`);
    return server;
  }

  /** Kills the master, waits until the sentinels have made a replica master, and gives both. */
  async replaceMaster(): Promise<{ killed: RedisServer; successor: RedisServer }> {
    const killed = await this.currentMaster();
    await killed.kill();
    const election = async () => {
      const named = await this.currentMaster();
      return named !== killed && (await isMaster(named)) ? named : undefined;
    };
    const successor = await waitFor(election, {
      what: "the sentinels to elect a new master",
      timeoutMs: READY_TIMEOUT_MS,
    });
    return { killed, successor };
  }

  /** Starts a server that was killed and has it follow the new master, to which sentinels see only after 10 s or more. */
  async rejoin(server: RedisServer): Promise<void> {
    await server.restart();
    const client = server.client();
    const follows = async () => {
      const { host, port } = await this.currentMaster();
      const [role, , masterPort] = await client.role();
      if (role === "slave" && masterPort === port) return true;
      await client.replicaof(host, port);
      return false;
    };
    await waitFor(follows, { what: `the Redis of port ${server.port} to follow the master` });
    await closeRedisClient(client);
  }

  /** Waits until every other server that runs follows the master, with all that was written so far. */
  async untilReplicated(): Promise<void> {
    const running = this.servers.filter(({ isRunning }) => isRunning);
    const clients = new Map(running.map((server) => [server, server.client()]));
    const isReplicated = async () => {
      // Asked for each time: it may be replaced meanwhile.
      const master = this.sentinels.length === 0 ? this.master : await this.currentMaster();
      const client = clients.get(master);
      // WAIT counts the replicas that have what this connection wrote before.
      await client?.publish("replicated", "");
      return (await client?.wait(running.length - 1, 200)) === running.length - 1;
    };
    try {
      await waitFor(isReplicated, {
        what: "all replicas to catch up",
        timeoutMs: READY_TIMEOUT_MS,
      });
    } catch (error) {
      const roles = await Promise.all([...clients.values()].map((client) => client.role()));
      throw new Error(`not all follow one master: ${JSON.stringify(roles)}`, { cause: error });
    } finally {
      await Promise.all([...clients.values()].map(closeRedisClient));
    }
  }

  /** Waits until every sentinel knows the replicas and the other sentinels. */
  async untilKnown(): Promise<void> {
    const expected = [this.replicas.length, this.sentinels.length - 1];
    for (const { admin, port } of this.sentinels) {
      const knowsAll = async () => {
        const known = await Promise.all(
          ["REPLICAS", "SENTINELS"].map((what) => admin.call("SENTINEL", what, GROUP)),
        );
        return (known as unknown[][]).every(({ length }, i) => length === expected[i]);
      };
      await waitFor(knowsAll, {
        what: `the sentinel of port ${port} to know the others`,
        timeoutMs: READY_TIMEOUT_MS,
      });
    }
  }

  async close(): Promise<void> {
    for (const { admin, process, directory } of this.sentinels) {
      await closeRedisClient(admin);
      await process.stop();
      await directory.remove();
    }
    await Promise.all(this.servers.map((server) => server.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function startSentinel(of: {
  masterPort: number;
  quorum: number;
  downAfterMs: number;
}): Promise<Sentinel> {
  const [directory, port] = await Promise.all([makeTemporaryDirectory(), freePort()]);
  const file = join(directory.path, "sentinel.conf");
  await writeFile(
    file,
    [
      `bind ${HOST}`,
      `port ${port}`,
      `dir ${JSON.stringify(directory.path)}`,
      `sentinel monitor ${GROUP} ${HOST} ${of.masterPort} ${of.quorum}`,
      `sentinel down-after-milliseconds ${GROUP} ${of.downAfterMs}`,
      // A failover that fails is tried again after twice this time: the first one does, where what the sentinel knows
      // of the replicas is older than 5 s.
      `sentinel failover-timeout ${GROUP} 2000`,
      "",
    ].join("\n"),
  );
  const process = await startProcess({
    command: await findRedisServer(),
    args: [file, "--sentinel"],
    cwd: directory.path,
  });
  return { port, process, directory, admin: openRedisClient(`redis://${HOST}:${port}`) };
}

async function isMaster(server: RedisServer): Promise<boolean> {
  const client = server.client();
  try {
    return (await client.role())[0] === "master";
  } finally {
    await closeRedisClient(client);
  }
}
