import type { NodeReplica } from "../engine/index/node-replica.ts";
import { predict } from "../engine/index/predict.ts";
import { nextEvents } from "../engine/next/next-events.ts";
import { logNumber } from "../stores/node-store.ts";
import { comeAgain } from "./come-again.ts";
import { LoadingReplica, parseChange } from "./loading-replica.ts";
import type {
  CallKind,
  CallMessage,
  Nearest,
  ReplicaCall,
  ReplyMessage,
  ReplyOf,
} from "./replica-messages.ts";
import { failureOf } from "./replica-messages.ts";

/** Holds the replicas, and answers one call after another: all that computes, and nothing that waits. */
export class ReplicaHost {
  readonly #loading = new Map<number, LoadingReplica>();
  readonly #ready = new Map<number, NodeReplica>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  answer({ id, call }: CallMessage): ReplyMessage {
    const { replica } = call;
    try {
      const value = this.#answer(call);
      return { id, replica, bytes: this.#sizeBytesOf(replica), value };
    } catch (error) {
      return { id, replica, bytes: this.#sizeBytesOf(replica), failure: failureOf(error) };
    }
  }

  /** undefined for one that is not loaded to the end. */
  find(replica: number): NodeReplica | undefined {
    return this.#ready.get(replica);
  }

  #answer(call: ReplicaCall): ReplyOf<CallKind> {
    switch (call.kind) {
      case "begin":
        this.#loading.set(call.replica, new LoadingReplica(call.finalized));
        return null;
      case "page":
        this.#getLoading(call.replica).addPage(call.page);
        return null;
      case "replay":
        return this.#replay(call);
      case "finish":
        return this.#finish(call);
      case "apply":
        for (const { json } of call.entries) this.#getReady(call.replica).apply(parseChange(json));
        return null;
      case "predict":
        return this.#predict(call);
      case "next":
        return this.#tellNext(call);
      case "nearest":
        return this.#findNearest(call);
      case "drop":
        this.#loading.delete(call.replica);
        this.#ready.delete(call.replica);
        return null;
    }
  }

  #replay({ replica, entries }: ReplicaCall<"replay">): boolean {
    const loading = this.#getLoading(replica);
    return entries.every(({ position, json }) =>
      loading.replay(logNumber(position), parseChange(json)),
    );
  }

  #finish({ replica }: ReplicaCall<"finish">): number {
    const ready = this.#getLoading(replica).finish();
    this.#loading.delete(replica);
    this.#ready.set(replica, ready);
    return ready.totals().patterns;
  }

  /** As text: it costs the thread that gets it nothing before it is parsed, which for an answer on the wire is never. */
  #predict({ replica, stm, settings, deadlineAt }: ReplicaCall<"predict">): string {
    const interrupt = this.#interruptAt(deadlineAt);
    return JSON.stringify(predict(this.#getReady(replica), stm, { ...settings, interrupt }));
  }

  /** As text, like predictions. */
  #tellNext({ replica, stm, limit, horizon, deadlineAt }: ReplicaCall<"next">): string {
    const interrupt = this.#interruptAt(deadlineAt);
    const question = { limit, horizon, interrupt };
    return JSON.stringify(nextEvents(this.#getReady(replica), stm, question));
  }

  #findNearest({ replica, vectors, count, deadlineAt }: ReplicaCall<"nearest">): Nearest {
    const { vectors: index } = this.#getReady(replica);
    const interrupt = this.#interruptAt(deadlineAt);
    return {
      dimension: index.dimension,
      neighbours: vectors.map((vector) => index.neighbours(vector, count, interrupt)),
    };
  }

  /** Throws at once when the deadline has passed, and what it gives does when it passes later. */
  #interruptAt(deadlineAt: number): () => void {
    const interrupt = (): void => {
      if (this.#now() <= deadlineAt) return;
      const message = "The deadline passed before the node's memory was searched to the end; retry";
      throw comeAgain(message);
    };
    interrupt();
    return interrupt;
  }

  #sizeBytesOf(replica: number): number {
    const held = this.#ready.get(replica) ?? this.#loading.get(replica)?.replica;
    return held?.sizeBytes ?? 0;
  }

  #getLoading(replica: number): LoadingReplica {
    const loading = this.#loading.get(replica);
    if (loading === undefined) throw new Error(`replica ${replica} is not being loaded`);
    return loading;
  }

  #getReady(replica: number): NodeReplica {
    const ready = this.find(replica);
    if (ready === undefined) throw new Error(`there is no replica ${replica}`);
    return ready;
  }
}
