import { Worker } from "node:worker_threads";
import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { Logger } from "../log.ts";
import { comeAgain } from "./come-again.ts";
import type {
  CallKind,
  CallMessage,
  ReplicaCall,
  ReplyMessage,
  ReplyOf,
} from "./replica-messages.ts";
import { errorOf } from "./replica-messages.ts";

/** Where replicas are held, and asked. */
export interface ReplicaLink {
  /** Rejects with what the call has thrown, or when it cannot be answered. */
  ask<Kind extends CallKind>(call: ReplicaCall<Kind>): Promise<ReplyOf<Kind>>;
  /** Frees the replica's memory, if it is held. */
  drop(replica: number): void;
}

type Waiting = { resolve(value: unknown): void; reject(error: Error): void };

type LinkRules = {
  log: Logger;
  /** What a replica takes after a call. */
  onSize(replica: number, bytes: number): void;
  /** All replicas are gone. */
  onDeath(): void;
};

/**
 * Calls the thread of replicas, which is started by the first call, answers calls in their order, and keeps the process
 * alive only while one waits. When it dies, what waits is refused, and the next call starts another.
 */
export class ThreadLink implements ReplicaLink {
  readonly #rules: LinkRules;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;
  #isClosed = false;

  constructor(rules: LinkRules) {
    this.#rules = rules;
  }

  /** Rejects with what the thread has thrown, SHUTTING_DOWN once closed, or an Error when the thread dies. */
  ask<Kind extends CallKind>(call: ReplicaCall<Kind>): Promise<ReplyOf<Kind>> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw shuttingDown();
      const worker = (this.#worker ??= this.#start());
      // A call of one kind is one of the calls, which the compiler cannot tell of a type parameter.
      const message: CallMessage = { id: ++this.#lastId, call: call as ReplicaCall };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      worker.postMessage(message);
      if (this.#waiting.size === 0) worker.ref();
      // Its reply is of the call's kind.
      this.#waiting.set(message.id, {
        resolve: (value) => resolve(value as ReplyOf<Kind>),
        reject,
      });
    });
  }

  drop(replica: number): void {
    if (this.#worker !== undefined) this.ask({ kind: "drop", replica }).catch(() => undefined);
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#refuseAll(shuttingDown);
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL("./replica-thread.ts", import.meta.url));
    let cause: unknown;
    worker.on("message", (reply: ReplyMessage) => this.#settle(worker, reply));
    worker.on("messageerror", (error) => {
      cause = error;
      void worker.terminate();
    });
    worker.on("error", (error) => (cause = error));
    worker.on("exit", () => this.#bury(worker, cause));
    worker.unref();
    return worker;
  }

  #settle(worker: Worker, reply: ReplyMessage): void {
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0) worker.unref();
    this.#rules.onSize(reply.replica, reply.bytes);
    if ("failure" in reply) waiting.reject(errorOf(reply.failure));
    else waiting.resolve(reply.value);
  }

  #bury(worker: Worker, cause: unknown): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#rules.log.error({ err: cause }, "the thread that keeps nodes in memory ended");
    this.#rules.onDeath();
    this.#refuseAll(() => comeAgain("The thread that keeps nodes in memory ended; retry"));
  }

  #refuseAll(reason: () => Error): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(reason());
  }
}

function shuttingDown(): ServiceError {
  return new ServiceError("SHUTTING_DOWN", "The worker is shutting down; another takes the call");
}
