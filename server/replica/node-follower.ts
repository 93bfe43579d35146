import type { Logger } from "../log.ts";
import type { LogPosition } from "../stores/node-store.ts";
import { JoinedRuns } from "./joined-runs.ts";
import { LOG_ENTRIES_READ } from "./log-entries-read.ts";
import type { LoadedReplica, LoaderParts } from "./replica-loader.ts";
import { changesTooFast, ReplicaLoader } from "./replica-loader.ts";
import type { ReplicaCall } from "./replica-messages.ts";
import type { ReplicaSizes } from "./replica-sizes.ts";

export type FollowerParts = LoaderParts & {
  sizes: ReplicaSizes;
  log: Logger;
  /** A number that no replica had before. */
  nextReplica(): number;
  onLoad(): void;
};

/** A node cleared or finalized again and again while it is loaded is given up after so many attempts. */
const MOST_ATTEMPTS = 8;

/** A load that takes longer is told at once, not only when it is done. */
const LONG_LOAD_MS = 1_000;

/** Keeps the replica of one node at the end of the node's log: loads it, catches up with the log, loses it. */
export class NodeFollower {
  readonly tag: string;
  /** Calls that wait for the replica or use it: until there is none, it stays in memory. */
  pins = 0;
  /** Of these, calls that use it already: while it is loaded anew, the one before stays for them. */
  users = 0;
  readonly #parts: FollowerParts;
  readonly #runs = new JoinedRuns(() => this.#catchUp());
  #current: { replica: number; position: LogPosition } | undefined;
  #isLoading = false;

  constructor(parts: FollowerParts, tag: string) {
    this.#parts = parts;
    this.tag = tag;
  }

  /** undefined before the first load and after a loss. */
  get replica(): number | undefined {
    return this.#current?.replica;
  }

  get isLoading(): boolean {
    return this.#isLoading;
  }

  get isPinned(): boolean {
    return this.pins > 0 || this.#runs.isBusy;
  }

  /** Afterwards the replica is at least as new as the log is now. Throws STORE_UNAVAILABLE and OVERLOADED. */
  catchUp(): Promise<void> {
    return this.#runs.run();
  }

  /** Frees the replica's memory. */
  drop(): void {
    const { replica } = this;
    this.#current = undefined;
    if (replica !== undefined) this.#free(replica);
  }

  /** The thread has ended, and the replica with it. */
  lose(): void {
    const { replica } = this;
    this.#current = undefined;
    if (replica !== undefined) this.#parts.sizes.close(replica);
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    return this.#runs.idle();
  }

  async #catchUp(): Promise<void> {
    const { store } = this.#parts;
    for (;;) {
      const current = this.#current;
      if (current === undefined) return this.#load();
      const entries = await store.readLog(this.tag, current.position, LOG_ENTRIES_READ);
      if (entries === undefined) return this.#load();
      const last = entries.at(-1);
      if (last !== undefined) {
        await this.#apply({ kind: "apply", replica: current.replica, entries });
        current.position = last.position;
      }
      if (entries.length < LOG_ENTRIES_READ && this.#current === current) return;
    }
  }

  /** An entry that cannot be applied leaves a replica that is not the node's: it is dropped. */
  async #apply(call: ReplicaCall<"apply">): Promise<void> {
    try {
      await this.#parts.thread.ask(call);
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  async #load(): Promise<void> {
    const { log } = this.#parts;
    const started = performance.now();
    const timer = setTimeout(() => {
      log.info({ node: this.tag }, "a node is being read into memory");
    }, LONG_LOAD_MS);
    timer.unref();
    this.#isLoading = true;
    try {
      if (this.users === 0) this.drop();
      const { replica, loaded } = await this.#loadUntilSettled();
      this.drop();
      this.#current = { replica, position: loaded.position };
      this.#parts.onLoad();
      const bytes = this.#parts.sizes.of(replica);
      const ms = Math.round(performance.now() - started);
      log.info({ node: this.tag, patterns: loaded.patterns, bytes, ms }, "a node is in memory");
    } finally {
      this.#isLoading = false;
      clearTimeout(timer);
    }
  }

  async #loadUntilSettled(): Promise<{ replica: number; loaded: LoadedReplica }> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const replica = this.#parts.nextReplica();
      this.#parts.sizes.open(replica);
      let loaded: LoadedReplica | undefined;
      try {
        loaded = await new ReplicaLoader(this.#parts, { tag: this.tag, replica }).load();
        if (loaded !== undefined) return { replica, loaded };
      } finally {
        if (loaded === undefined) this.#free(replica);
      }
    }
    throw changesTooFast();
  }

  #free(replica: number): void {
    this.#parts.sizes.close(replica);
    this.#parts.thread.drop(replica);
  }
}
