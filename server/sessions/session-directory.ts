import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { NodePage } from "@kato-rpc/shared/node.ts";
import type { SessionPage } from "@kato-rpc/shared/session.ts";
import type { ListedSession, Page, SessionStore } from "../stores/session-store.ts";
import { decodeCursor, encodeCursor } from "./list-cursor.ts";
import { sessionInfo } from "./session-info.ts";
import type { SessionClocks } from "./session-service.ts";

/** Nodes asked for at once when a walk goes over all of them. */
const NODES_PER_STEP = 200;
/** Nodes that one page of sessions goes through at most; where few have sessions, a page has few items. */
const NODES_PER_PAGE = 2_000;

/** Lists and counts over sessions and nodes. None of them prolongs a session's life. */
export class SessionDirectory {
  readonly #store: SessionStore;
  readonly #clocks: SessionClocks;

  constructor(store: SessionStore, clocks: SessionClocks) {
    this.#store = store;
    this.#clocks = clocks;
  }

  /** Of all nodes, or of one. */
  async list(input: {
    nodeId?: string | undefined;
    cursor?: string | undefined;
    limit?: number | undefined;
  }): Promise<SessionPage> {
    const { cursor, limit = 100 } = input;
    const page =
      input.nodeId === undefined
        ? await this.#listAllNodes(cursor, limit)
        : await this.#listNode(input.nodeId, cursor ?? null, limit);
    return { items: page.items.map(sessionInfo), nextCursor: page.nextCursor };
  }

  /** Gives up when nobody waits any more, at `deadlineAt` of the clock `now`. */
  async count(
    nodeId: string | undefined,
    deadlineAt = Number.POSITIVE_INFINITY,
  ): Promise<{ active: number }> {
    if (nodeId !== undefined)
      return { active: await this.#store.countSessions(nodeId, this.#clocks.moment()) };
    let active = 0;
    let after: string | undefined;
    while (this.#clocks.now() < deadlineAt) {
      const nodes = await this.#store.listNodes({
        after,
        limit: NODES_PER_STEP,
        nowMs: this.#clocks.moment(),
      });
      for (const node of nodes.items) {
        active += node.activeSessions;
        after = node.nodeId;
      }
      if (!nodes.more) return { active };
    }
    throw new ServiceError("STORE_UNAVAILABLE", "the count was not done within the deadline");
  }

  /** Nodes in the order of their ids; the cursor holds the last id given. */
  async listNodes(cursor: string | undefined, limit = 100): Promise<NodePage> {
    const [after] = cursor === undefined ? [undefined] : decodeCursor(cursor);
    const nodes = await this.#store.listNodes({ after, limit, nowMs: this.#clocks.moment() });
    const last = nodes.items.at(-1);
    const nextCursor = nodes.more && last !== undefined ? encodeCursor([last.nodeId, null]) : null;
    return { items: nodes.items, nextCursor };
  }

  /** The sessions of one node after another; the cursor names the node and the place within it. */
  async #listAllNodes(cursor: string | undefined, limit: number): Promise<Page<ListedSession>> {
    const items: ListedSession[] = [];
    let after: string | undefined;
    if (cursor !== undefined) {
      const [nodeId, within] = decodeCursor(cursor);
      const page = await this.#listNode(nodeId, within, limit);
      items.push(...page.items);
      if (page.nextCursor !== null) {
        return { items, nextCursor: encodeCursor([nodeId, page.nextCursor]) };
      }
      after = nodeId;
    }
    for (let visited = 0; ;) {
      const nodes = await this.#store.listNodes({
        after,
        limit: NODES_PER_STEP,
        nowMs: this.#clocks.moment(),
      });
      for (const { nodeId, activeSessions } of nodes.items) {
        visited += 1;
        if (visited > NODES_PER_PAGE) return { items, nextCursor: encodeCursor([nodeId, null]) };
        if (activeSessions > 0) {
          if (items.length >= limit) {
            return { items, nextCursor: encodeCursor([nodeId, null]) };
          }
          const page = await this.#listNode(nodeId, null, limit - items.length);
          items.push(...page.items);
          if (page.nextCursor !== null) {
            return { items, nextCursor: encodeCursor([nodeId, page.nextCursor]) };
          }
        }
        after = nodeId;
      }
      if (!nodes.more) return { items, nextCursor: null };
    }
  }

  #listNode(nodeId: string, within: string | null, limit: number): Promise<Page<ListedSession>> {
    return this.#store.listSessions(nodeId, {
      cursor: within ?? undefined,
      limit,
      nowMs: this.#clocks.moment(),
    });
  }
}
