import type { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { LogPosition, NodePage, NodeRows, NodeStore } from "../stores/node-store.ts";
import { comeAgain } from "./come-again.ts";
import { LOG_ENTRIES_READ } from "./log-entries-read.ts";
import { rowsOfNextPage } from "./page-size.ts";
import type { LoadedPage } from "./replica-messages.ts";
import type { ReplicaLink } from "./thread-link.ts";
import type { Turns } from "./turns.ts";

export type LoaderParts = {
  store: NodeStore;
  thread: ReplicaLink;
  /** Shared by all loaders: so only one page at a time stands before a question in the thread. */
  turns: Turns;
};

export type LoadedReplica = { position: LogPosition; patterns: number };

/** In the order in which they are read; patterns must come first, the finalized symbols after them. */
const KINDS = ["patterns", "affinities", "vectors", "finalized"] as const;

/** Loads one replica of a node into the thread: all pages of rows, then what the log has since the first of them. */
export class ReplicaLoader {
  readonly #parts: LoaderParts;
  readonly #tag: string;
  readonly #replica: number;

  constructor(parts: LoaderParts, { tag, replica }: { tag: string; replica: number }) {
    this.#parts = parts;
    this.#tag = tag;
    this.#replica = replica;
  }

  /** undefined when the node changed so that the load is to begin anew, as another replica. */
  async load(): Promise<LoadedReplica | undefined> {
    const { store, thread } = this.#parts;
    const head = await store.readHead(this.#tag);
    const { finalized } = head;
    await thread.ask({ kind: "begin", replica: this.#replica, finalized });
    for (const rowsOf of KINDS) await this.#loadRows(rowsOf);
    const position = await this.#replayLog(head.position);
    if (position === undefined) return undefined;
    const patterns = await thread.ask({ kind: "finish", replica: this.#replica });
    return { position, patterns };
  }

  /** The next page is read while the thread works on the last. */
  async #loadRows<Kind extends keyof NodeRows>(rowsOf: Kind): Promise<void> {
    let reading: Promise<NodePage<NodeRows[Kind]>> | undefined = this.#read(rowsOf, undefined);
    while (reading !== undefined) {
      const page: NodePage<NodeRows[Kind]> = await reading;
      reading = page.nextCursor === null ? undefined : this.#read(rowsOf, page);
      // When the thread fails, nobody waits for this any more.
      reading?.catch(() => undefined);
      if (page.rows.length > 0) await this.#send(rowsOf, page);
    }
  }

  #read<Kind extends keyof NodeRows>(
    rowsOf: Kind,
    last: NodePage<NodeRows[Kind]> | undefined,
  ): Promise<NodePage<NodeRows[Kind]>> {
    const page = { cursor: last?.nextCursor ?? null, limit: rowsOfNextPage(last?.rows) };
    return this.#parts.store.readRows(this.#tag, rowsOf, page);
  }

  async #send<Kind extends keyof NodeRows>(
    rowsOf: Kind,
    { number, rows }: NodePage<NodeRows[Kind]>,
  ): Promise<void> {
    const { thread, turns } = this.#parts;
    // Of the union's member of this kind, which the compiler cannot tell of a type parameter.
    const page = { rowsOf, number, rows } as unknown as LoadedPage;
    await turns.take(() => thread.ask({ kind: "page", replica: this.#replica, page }));
  }

  /** Gives the position behind the last entry; undefined when the load is to begin anew. */
  async #replayLog(from: LogPosition): Promise<LogPosition | undefined> {
    const { store, thread, turns } = this.#parts;
    let position = from;
    for (;;) {
      const entries = await store.readLog(this.#tag, position, LOG_ENTRIES_READ);
      if (entries === undefined) return undefined;
      const last = entries.at(-1);
      if (last !== undefined) {
        const call = { kind: "replay", replica: this.#replica, entries } as const;
        if (!(await turns.take(() => thread.ask(call)))) return undefined;
        position = last.position;
      }
      if (entries.length < LOG_ENTRIES_READ) return position;
    }
  }
}

export function changesTooFast(): ServiceError {
  const message =
    "The node was cleared, finalized or changed faster than it could be read into memory; retry";
  return comeAgain(message);
}
