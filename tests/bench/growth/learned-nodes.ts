import { createSessionId } from "../../../server/stores/session-id.ts";
import type { OpenStore } from "../../../server/stores/open-store.ts";
import { drawVersionMark } from "../../../server/stores/version-mark.ts";
import type { LearnedPattern } from "../../../server/engine/node-change.ts";
import { STORE_KINDS, type StoreKind, openTestStore } from "../../support/service.ts";
import { PATTERN_SEED } from "../random-patterns.ts";
import { drawPatterns, take } from "./pattern-nodes.ts";
import { createSession, openBenchStore } from "./stored-sessions.ts";

const LEARNS_PER_COMMIT = 1_000;

/** A small node beside the others, for whatever must warm up first. */
export const WARM_UP_NODE = "warm-up";

export type LearnedStore = { kind: StoreKind; url: string; nodes: LearningNode[] };

/** A node of a store, and a session that learns patterns into it by the commits that the service makes. */
export class LearningNode {
  readonly nodeId: string;
  readonly size: number;
  readonly #store: OpenStore;
  readonly #sessionId: string;
  #version = 0;
  #mark = drawVersionMark();

  constructor(store: OpenStore, { nodeId, size }: { nodeId: string; size: number }) {
    this.nodeId = nodeId;
    this.size = size;
    this.#store = store;
    this.#sessionId = createSessionId(nodeId);
  }

  open(): Promise<void> {
    const { nodeId } = this;
    return createSession(this.#store, { sessionId: this.#sessionId, nodeId, mark: this.#mark });
  }

  async learn(learns: readonly LearnedPattern[]): Promise<void> {
    const mark = drawVersionMark();
    const result = await this.#store.sessions.commit({
      sessionId: this.#sessionId,
      at: { nowMs: undefined, slides: true },
      baseVersion: this.#version,
      baseMark: this.#mark,
      mark,
      time: 0,
      delta: {
        clearsStm: true,
        clearsAccumulators: true,
        clearsVectors: true,
        events: [],
        emotives: [],
        metadata: [],
        vectors: [],
      },
      ids: [],
      outcomes: [],
      learns,
    });
    if (result.status !== "committed") throw new Error(`the learn was ${result.status}`);
    this.#version += 1;
    this.#mark = mark;
  }
}

/** A Redis and a SQLite store with nodes of random patterns, made once for all curves that ask for them. */
export class LearnedNodes implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  #stores: Promise<LearnedStore[]> | undefined;

  /** `onNode` is called as each node is filled, or at once for all that are. */
  async stores(sizes: readonly number[], onNode: () => void): Promise<LearnedStore[]> {
    if (this.#stores === undefined) {
      this.#stores = this.#fill(sizes, onNode);
      return this.#stores;
    }
    const stores = await this.#stores;
    for (const { nodes } of stores) nodes.forEach(() => onNode());
    return stores;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #fill(sizes: readonly number[], onNode: () => void): Promise<LearnedStore[]> {
    const stores: LearnedStore[] = [];
    for (const kind of STORE_KINDS) stores.push(await this.#open(kind, sizes));
    const nodes = stores.flatMap((store) => store.nodes);
    const patterns = drawPatterns(PATTERN_SEED);
    const most = Math.max(...sizes);
    for (let start = 0; start < most; start += LEARNS_PER_COMMIT) {
      const learns = take(patterns, Math.min(LEARNS_PER_COMMIT, most - start));
      const growing = nodes.filter(({ size }) => size > start);
      await Promise.all(growing.map((node) => node.learn(learns.slice(0, node.size - start))));
      for (const { size } of growing) if (size <= start + LEARNS_PER_COMMIT) onNode();
    }
    return stores;
  }

  async #open(kind: StoreKind, sizes: readonly number[]): Promise<LearnedStore> {
    const { url } = this.#stack.use(await openTestStore(kind));
    const store = await openBenchStore(url);
    this.#stack.defer(() => store.close());
    const wanted = [
      { nodeId: WARM_UP_NODE, size: sizes[0] ?? 0 },
      ...sizes.map((size) => ({ nodeId: `patterns-${size}`, size })),
    ];
    const nodes = wanted.map((node) => new LearningNode(store, node));
    for (const node of nodes) await node.open();
    return { kind, url, nodes };
  }
}

export function patternSizesOf(quick: boolean): number[] {
  return quick ? [1_000, 10_000] : [1_000, 10_000, 100_000, 1_000_000];
}

/** How often `onNode` is called. */
export function nodesOf(quick: boolean): number {
  return STORE_KINDS.length * (patternSizesOf(quick).length + 1);
}
