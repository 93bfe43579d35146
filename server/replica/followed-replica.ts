import type { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { Event } from "@kato-rpc/shared/observation.ts";
import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import type { PredictionList, PredictionSettings } from "@kato-rpc/shared/prediction.ts";
import { steadyNow } from "../steady-clock.ts";
import { comeAgain } from "./come-again.ts";
import { beforeDeadline } from "./before-deadline.ts";
import type { NodeFollower } from "./node-follower.ts";
import type { FollowedNode } from "./followed-node.ts";
import type { Nearest, NextAsked, ReplicaCall } from "./replica-messages.ts";
import type { ReplicaLink } from "./thread-link.ts";

export type FollowedParts = {
  node: NodeFollower;
  thread: ReplicaLink;
  remainingMs(): number;
  onPrediction(): void;
  onRelease(): void;
};

/** One call's hold on a node's replica. */
export class FollowedReplica implements FollowedNode {
  readonly #parts: FollowedParts;
  #isReleased = false;

  constructor(parts: FollowedParts) {
    this.#parts = parts;
    parts.node.users += 1;
  }

  async predict(stm: readonly Event[], settings: PredictionSettings): Promise<PredictionList> {
    return parseJson(await this.predictText(stm, settings)) as PredictionList;
  }

  predictText(stm: readonly Event[], settings: PredictionSettings): Promise<string> {
    return this.#askForText(() => ({ kind: "predict", ...this.#address(), stm, settings }));
  }

  nextText(stm: readonly Event[], question: NextAsked): Promise<string> {
    return this.#askForText(() => ({ kind: "next", ...this.#address(), stm, ...question }));
  }

  async nearest(vectors: readonly (readonly number[])[], count: number): Promise<Nearest> {
    const question = { kind: "nearest", ...this.#address(), vectors, count } as const;
    return this.#inTime(this.#parts.thread.ask(question));
  }

  [Symbol.dispose](): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#parts.node.users -= 1;
    this.#parts.onRelease();
  }

  async #askForText(question: () => ReplicaCall<"predict" | "next">): Promise<string> {
    const { thread, onPrediction } = this.#parts;
    const text = await this.#inTime(thread.ask(question()));
    onPrediction();
    return text;
  }

  /** The caller's clock may be another than the thread's, which is the machine's. */
  #address(): { replica: number; deadlineAt: number } {
    if (this.#isReleased) throw new Error("the node was let go of before it was asked");
    const { node, remainingMs } = this.#parts;
    const { replica } = node;
    if (replica === undefined)
      throw comeAgain("The thread that kept the node in memory ended; retry");
    return { replica, deadlineAt: steadyNow() + remainingMs() };
  }

  #inTime<T>(answer: Promise<T>): Promise<T> {
    return beforeDeadline(answer, { remainingMs: this.#parts.remainingMs(), late: tooLate });
  }
}

function tooLate(): ServiceError {
  const message =
    "The deadline passed before the node's memory was searched: other questions were before it, or it is large; retry";
  return comeAgain(message);
}
