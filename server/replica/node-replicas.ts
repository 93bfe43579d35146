import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { Logger } from "../log.ts";
import type { NodeStore } from "../stores/node-store.ts";
import { comeAgain } from "./come-again.ts";
import { beforeDeadline } from "./before-deadline.ts";
import type { FollowedNode } from "./followed-node.ts";
import { FollowedReplica } from "./followed-replica.ts";
import { NodeFollower } from "./node-follower.ts";
import type { FollowerParts } from "./node-follower.ts";
import { ReplicaSizes } from "./replica-sizes.ts";
import { ThreadLink } from "./thread-link.ts";
import { Turns } from "./turns.ts";

export type NodeReplicasParts = {
  store: NodeStore;
  /** Replicas not in use are dropped past this, those least recently used first. */
  memoryBytes: number;
  log: Logger;
  /** Epoch ms: the clock that deadlines are told by. */
  now(): number;
};

export type ReplicaCounters = {
  predictions: number;
  loads: number;
  evictions: number;
  /** Nodes that are in memory now, and what they take. */
  nodes: number;
  bytes: number;
};

/**
 * The nodes' long-term memories that this process keeps in memory: in a thread of their own, which predicts there, so
 * that nothing here waits for it.
 */
export class NodeReplicas {
  readonly #parts: NodeReplicasParts;
  /** By tag, the least recently used first. */
  readonly #nodes = new Map<string, NodeFollower>();
  readonly #sizes = new ReplicaSizes();
  readonly #thread: ThreadLink;
  readonly #followerParts: FollowerParts;
  readonly #oversized = new Set<string>();
  readonly #counts = { predictions: 0, loads: 0, evictions: 0 };
  #lastReplica = 0;
  #isClosed = false;

  constructor(parts: NodeReplicasParts) {
    this.#parts = parts;
    const { store, log } = parts;
    this.#thread = new ThreadLink({
      log,
      onSize: (replica, bytes) => {
        this.#sizes.set(replica, bytes);
        this.#keepWithinBounds();
      },
      onDeath: () => {
        for (const node of this.#nodes.values()) node.lose();
      },
    });
    this.#followerParts = {
      store,
      log,
      thread: this.#thread,
      turns: new Turns(),
      sizes: this.#sizes,
      nextReplica: () => ++this.#lastReplica,
      onLoad: () => (this.#counts.loads += 1),
    };
  }

  /** For monitoring. */
  get counters(): ReplicaCounters {
    let nodes = 0;
    for (const { replica } of this.#nodes.values()) nodes += Number(replica !== undefined);
    return { ...this.#counts, nodes, bytes: this.#sizes.total };
  }

  /**
   * This process's replica of the node, at least as new as the node's log is at this moment. It is loaded when it is
   * not in memory; the load goes on when the deadline (by `now`) passes, for the next call.
   *
   * @throws ServiceError STORE_UNAVAILABLE, OVERLOADED when the deadline passes, SHUTTING_DOWN
   */
  async follow(tag: string, deadlineAt: number): Promise<FollowedNode> {
    const remainingMs = (): number => deadlineAt - this.#parts.now();
    if (this.#isClosed) throw new ServiceError("SHUTTING_DOWN", "The worker is shutting down");
    if (remainingMs() <= 0) throw late(false);
    const node = this.#use(tag);
    try {
      const isLate = (): Error => late(node.isLoading);
      await beforeDeadline(node.catchUp(), { remainingMs: remainingMs(), late: isLate });
      return new FollowedReplica({
        node,
        thread: this.#thread,
        remainingMs,
        onPrediction: () => (this.#counts.predictions += 1),
        onRelease: () => this.#release(node),
      });
    } catch (error) {
      this.#release(node);
      throw error;
    }
  }

  /** Ends the thread; what waits is refused with SHUTTING_DOWN. Resolves when the store is not read any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#thread.close();
    await Promise.all(Array.from(this.#nodes.values(), (node) => node.idle()));
  }

  #use(tag: string): NodeFollower {
    const node = this.#nodes.get(tag) ?? new NodeFollower(this.#followerParts, tag);
    this.#nodes.delete(tag);
    this.#nodes.set(tag, node);
    node.pins += 1;
    return node;
  }

  #release(node: NodeFollower): void {
    node.pins -= 1;
    if (node.replica === undefined) void node.idle().then(() => this.#forget(node));
    this.#keepWithinBounds();
  }

  /** A node that could not be loaded leaves nothing behind. */
  #forget(node: NodeFollower): void {
    if (node.isPinned || node.replica !== undefined) return;
    if (this.#nodes.get(node.tag) === node) this.#nodes.delete(node.tag);
  }

  /** The node used last stays however large it is: else each question to it would load it anew. */
  #keepWithinBounds(): void {
    const { memoryBytes } = this.#parts;
    if (this.#sizes.total <= memoryBytes) return;
    let left = this.#nodes.size;
    for (const node of this.#nodes.values()) {
      left -= 1;
      this.#warnOfSize(node);
      if (left === 0 || this.#sizes.total <= memoryBytes) continue;
      if (!node.isPinned) this.#evict(node);
    }
  }

  #evict(node: NodeFollower): void {
    const bytes = this.#sizes.of(node.replica);
    node.drop();
    this.#nodes.delete(node.tag);
    this.#counts.evictions += 1;
    this.#parts.log.info({ node: node.tag, bytes }, "a node left memory to make room");
  }

  #warnOfSize({ tag, replica }: NodeFollower): void {
    const { memoryBytes, log } = this.#parts;
    const bytes = this.#sizes.of(replica);
    if (bytes <= memoryBytes || this.#oversized.has(tag)) return;
    this.#oversized.add(tag);
    log.warn({ node: tag, bytes, memoryBytes }, "a node alone takes more memory than nodes may");
  }
}

function late(isLoading: boolean): ServiceError {
  const message = isLoading
    ? "The deadline passed while the node was being read into memory, which goes on; retry"
    : "The deadline passed before the node's newest changes were read; retry";
  return comeAgain(message);
}
