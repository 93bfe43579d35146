import type { Cluster, Redis } from "ioredis";
import {
  closeRedisClusterClient,
  openRedisClusterClient,
  type RedisClusterClientOptions,
} from "./redis-client.ts";
import { startRedis, type RedisServer, type RedisServerOptions } from "./redis-server.ts";
import { findSlotOwner, openSlotMove, type SlotMove } from "./slot-move.ts";
import { waitFor } from "./wait-for.ts";

export interface RedisClusterOptions {
  /** At least 3, and 3 when left out. */
  masters?: number;
  /** None when left out. */
  replicasPerMaster?: number;
  /** As for a single server; "no" when left out. */
  appendOnly?: NonNullable<RedisServerOptions["appendOnly"]>;
  /** Silence after which the others take a node for failed, in ms; 2000 when left out. */
  nodeTimeoutMs?: number;
  /** More directives of every node. */
  config?: NonNullable<RedisServerOptions["config"]>;
}

export interface ClusterNode {
  /** What the nodes call it among themselves. */
  readonly id: string;
  /** What it started as; a failover changes who is master without changing this. */
  readonly role: "master" | "replica";
  readonly server: RedisServer;
  /** A client of this node alone, for commands about the cluster. */
  readonly admin: Redis;
}

const SLOT_COUNT = 16_384;
const READY_TIMEOUT_MS = 60_000;

const CLUSTER_CONFIG = {
  "cluster-enabled": "yes",
  "cluster-config-file": "nodes.conf",
  "cluster-announce-ip": "127.0.0.1",
  // A stopping master would wait 10 s for a replica that is paused or gone.
  "shutdown-timeout": "0",
  "repl-diskless-sync-delay": "0",
};

/** Starts a cluster with its slots spread evenly over the masters, and waits until every node finds it healthy. */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicasPerMaster = 0, appendOnly = "no", nodeTimeoutMs = 2_000 } = options;
  const config = {
    ...CLUSTER_CONFIG,
    "cluster-node-timeout": String(nodeTimeoutMs),
    ...options.config,
  };
  const nodes: ClusterNode[] = [];
  const cluster = new RedisCluster(nodes);
  try {
    for (let index = 0; index < masters * (1 + replicasPerMaster); index += 1) {
      const server = await startRedis({ appendOnly, config });
      nodes.push(await describeNode(server, index < masters ? "master" : "replica"));
    }
    await joinNodes(cluster);
    await cluster.untilHealthy();
    return cluster;
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

/** The servers of one test, as one cluster; `close` ends them all. */
export class RedisCluster implements AsyncDisposable {
  /** Masters first. */
  readonly nodes: readonly ClusterNode[];
  readonly #clients: Cluster[] = [];

  constructor(nodes: readonly ClusterNode[]) {
    this.nodes = nodes;
  }

  /** The nodes that started as masters. */
  get masters(): readonly ClusterNode[] {
    return this.nodes.filter(({ role }) => role === "master");
  }

  /** The nodes that started as replicas. */
  get replicas(): readonly ClusterNode[] {
    return this.nodes.filter(({ role }) => role === "replica");
  }

  /** `redis+cluster://127.0.0.1:p1,127.0.0.1:p2,…`, all nodes named. */
  get url(): string {
    return `redis+cluster://${this.nodes.map(({ server }) => `${server.host}:${server.port}`).join(",")}`;
  }

  /** A client of the whole cluster that `close` disconnects. */
  client(options: RedisClusterClientOptions = {}): Cluster {
    const startupNodes = this.nodes.map(({ server: { host, port } }) => ({ host, port }));
    const client = openRedisClusterClient(startupNodes, options);
    this.#clients.push(client);
    return client;
  }

  /** The masters of this moment, as a node that runs knows them; those that have no slot are left out. */
  async currentMasters(): Promise<ClusterNode[]> {
    const ranges = await this.#anyRunning().admin.cluster("SLOTS");
    const ids = new Set(ranges.map(([, , master]) => master?.[2]));
    return this.nodes.filter(({ id }) => ids.has(id));
  }

  async slotOf(key: string): Promise<number> {
    return this.#anyRunning().admin.cluster("KEYSLOT", key);
  }

  /** The node that serves a slot, as a node that runs knows it. */
  async ownerOf(slot: number): Promise<ClusterNode> {
    const owner = await findSlotOwner(this.#anyRunning().admin, slot);
    const node = this.nodes.find(({ id }) => id === owner);
    if (node === undefined) throw new Error(`no node serves slot ${slot}`);
    return node;
  }

  /** Kills the master of a slot, waits until a replica of it has taken over, and gives both. */
  async replaceMaster(slot: number): Promise<{ killed: ClusterNode; successor: ClusterNode }> {
    const killed = await this.ownerOf(slot);
    await killed.server.kill();
    const takeover = async () => {
      const owner = await this.ownerOf(slot);
      return owner.id === killed.id ? undefined : owner;
    };
    const successor = await waitFor(takeover, {
      what: `a replica to take over from the node of port ${killed.server.port}`,
      timeoutMs: READY_TIMEOUT_MS,
    });
    return { killed, successor };
  }

  /** Begins to move a slot and leaves it half moved, so that its keys are answered with ASK or TRYAGAIN. */
  async openSlotMove(slot: number, to: ClusterNode): Promise<SlotMove> {
    const masters = await this.currentMasters();
    return openSlotMove({ slot, from: await this.ownerOf(slot), to, masters });
  }

  /** Moves a slot with its keys while clients use it. */
  async moveSlot(slot: number, to: ClusterNode): Promise<void> {
    const move = await this.openSlotMove(slot, to);
    await move.finish();
  }

  /** Moves every slot from `first` to `last` that is elsewhere, one after another, and gives how many those were. */
  async moveSlots([first, last]: readonly [number, number], to: ClusterNode): Promise<number> {
    let moved = 0;
    for (let slot = first; slot <= last; slot += 1) {
      if ((await this.ownerOf(slot)).id === to.id) continue;
      await this.moveSlot(slot, to);
      moved += 1;
    }
    return moved;
  }

  /** Moves the slot of a key to another master, and gives that master. */
  async moveSlotOf(key: string): Promise<ClusterNode> {
    const slot = await this.slotOf(key);
    const from = await this.ownerOf(slot);
    const masters = await this.currentMasters();
    const to = masters.find(({ id }) => id !== from.id);
    if (to === undefined) throw new Error("a cluster of one master has nowhere to move a slot");
    await this.moveSlot(slot, to);
    return to;
  }

  /** Waits until every node serves, knows all the others as well, and replicas follow; for use after a restart too. */
  async untilHealthy(): Promise<void> {
    for (const node of this.nodes) {
      await waitFor(() => findsClusterHealthy(node, this.nodes.length), {
        what: `the node of port ${node.server.port} to find the cluster healthy`,
        timeoutMs: READY_TIMEOUT_MS,
        intervalMs: 20,
      });
    }
  }

  /** Disconnects the clients and ends all nodes. */
  async close(): Promise<void> {
    await Promise.all(this.#clients.map(closeRedisClusterClient));
    await Promise.all(this.nodes.map(({ server }) => server.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #anyRunning(): ClusterNode {
    const node = this.nodes.find(({ server }) => server.isRunning);
    if (node === undefined) throw new Error("no node of the cluster runs");
    return node;
  }
}

async function describeNode(server: RedisServer, role: ClusterNode["role"]): Promise<ClusterNode> {
  try {
    const admin = server.client();
    return { id: await admin.cluster("MYID"), role, server, admin };
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** Makes one cluster of nodes that do not know each other yet. */
async function joinNodes({ nodes, masters, replicas }: RedisCluster): Promise<void> {
  for (const [index, { admin }] of masters.entries()) {
    const first = Math.floor((index * SLOT_COUNT) / masters.length);
    const last = Math.floor(((index + 1) * SLOT_COUNT) / masters.length) - 1;
    await admin.call("CLUSTER", "ADDSLOTSRANGE", first, last);
    // Masters that all start with epoch 0 would have to settle that conflict before anything else.
    await admin.call("CLUSTER", "SET-CONFIG-EPOCH", index + 1);
  }

  // Everybody meets everybody, which is quicker than waiting for the news to spread.
  for (const [index, { admin }] of nodes.entries()) {
    for (const { server } of nodes.slice(index + 1))
      await admin.call("CLUSTER", "MEET", server.host, server.port);
  }

  for (const [index, replica] of replicas.entries()) {
    const master = masters[index % masters.length];
    if (master !== undefined) await followMaster(replica, master);
  }
}

async function followMaster(replica: ClusterNode, master: ClusterNode): Promise<void> {
  // Refused until the replica has been introduced to that master.
  await waitFor(
    async () => (await replica.admin.call("CLUSTER", "REPLICATE", master.id)) === "OK",
    {
      what: `the node of port ${replica.server.port} to follow ${master.server.port}`,
      timeoutMs: READY_TIMEOUT_MS,
      intervalMs: 20,
    },
  );
}

async function findsClusterHealthy({ admin }: ClusterNode, nodeCount: number): Promise<boolean> {
  const state = (await admin.cluster("INFO")).split("\r\n");
  if (!state.includes("cluster_state:ok") || !state.includes(`cluster_slots_ok:${SLOT_COUNT}`))
    return false;

  // "id address flags master ping-sent pong-received epoch link-state slots…", one line per node.
  const known = String(await admin.cluster("NODES"))
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  const isDoubtful = ([, , flags = "", , , , , link]: string[]) =>
    /handshake|fail|noaddr/.test(flags) || link !== "connected";
  if (known.length !== nodeCount || known.some(isDoubtful)) return false;

  const replication = (await admin.info("replication")).split("\r\n");
  return replication.includes("role:master") || replication.includes("master_link_status:up");
}
