import { createIdSource } from "../id-source.ts";
import type { ResolvedOptions } from "../options.ts";
import { retryDelayMs } from "../retry-timing.ts";
import { Batch } from "./batch.ts";
import { withOutcome } from "../errors.ts";
import type { Call } from "./call.ts";
import { outcomeOfCall } from "./call.ts";
import { exchange } from "./http-exchange.ts";
import type { Lane } from "./lane.ts";
import { Lanes } from "./lanes.ts";
import type { FailedReply, Reply } from "./replies.ts";

type UnderWay = { batch: Batch; controller: AbortController; done: Promise<void> };
type Failure = { call: Call; reply: FailedReply };

/**
 * Carries calls to the service: collects those of one tick, packs them into batches in the order of
 * their turn, keeps at most `maxConcurrency` requests under way, and sends failed calls again before
 * the later ones of their session until they succeed or may not be retried any more.
 */
export class Dispatcher {
  readonly #options: ResolvedOptions;
  readonly #nextRequestId: () => string;
  readonly #lanes: Lanes;
  readonly #underWay = new Set<UnderWay>();
  #willFlush = false;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.#nextRequestId = createIdSource(options.platform);
    this.#lanes = new Lanes(options.platform, () => this.#flushSoon());
  }

  /** Gives what is to be called when the caller leaves before the answer. */
  add(call: Call): () => void {
    const lane = this.#lanes.add(call);
    return () => {
      if (call.isOver) return;
      call.isOver = true;
      this.#lanes.noteOver(lane);
      this.#endUnawaited(call);
    };
  }

  /** Settles once all requests have ended. No caller may be waiting any more, which ends them. */
  async close(): Promise<void> {
    this.#lanes.clear();
    await Promise.all(Array.from(this.#underWay, ({ done }) => done));
  }

  #flushSoon(): void {
    if (this.#willFlush) return;
    this.#willFlush = true;
    this.#options.platform.afterTick(() => {
      this.#willFlush = false;
      this.#flush();
    });
  }

  #flush(): void {
    const { baseUrl, batch: limits, maxConcurrency } = this.#options;
    while (this.#underWay.size < maxConcurrency) {
      const batch = this.#lanes.pack((kind) => new Batch(kind, baseUrl.pathname, limits));
      if (batch === undefined) return;
      this.#send(batch);
    }
  }

  #send(batch: Batch): void {
    const controller = new AbortController();
    const requestId = this.#nextRequestId();
    for (const { call } of batch.entries) {
      call.attempts += 1;
      call.effect.isUnderWay = true;
    }
    const sent: UnderWay = { batch, controller, done: Promise.resolve() };
    this.#underWay.add(sent);
    const options = this.#options;
    sent.done = exchange(batch, { options, requestId, controller }).then((replies) => {
      this.#underWay.delete(sent);
      this.#settle(batch, replies);
      this.#flushSoon();
    });
  }

  /** A request of which all callers have left is ended: nobody would read its reply. */
  #endUnawaited(call: Call): void {
    for (const { batch, controller } of this.#underWay) {
      if (!batch.entries.some((entry) => entry.call === call)) continue;
      if (batch.entries.every((entry) => entry.call.isOver)) controller.abort();
      return;
    }
  }

  #settle(batch: Batch, replies: readonly Reply[]): void {
    const failures = new Map<Lane, Failure[] | undefined>();
    for (const [i, { call, lane }] of batch.entries.entries()) {
      const ofLane = failures.get(lane);
      if (ofLane === undefined) failures.set(lane, undefined);
      const reply = replies[i];
      call.effect.isUnderWay = false;
      if (reply?.error?.outcome === "unknown") call.effect.wasLost = true;
      if (call.isOver || reply === undefined) continue;
      if (reply.error === undefined) finish(call, () => call.succeed(reply.data));
      else if (ofLane === undefined) failures.set(lane, [{ call, reply }]);
      else ofLane.push({ call, reply });
    }
    for (const [lane, ofLane] of failures) {
      if (ofLane === undefined) this.#lanes.release(lane);
      else this.#retryOrFail(lane, ofLane);
    }
  }

  #retryOrFail(lane: Lane, failures: readonly Failure[]): void {
    const { platform } = this.#options;
    const delayMs = delayBefore(failures, platform.random());
    const retryAt = platform.now() + delayMs;
    const again: Call[] = [];
    for (const { call, reply } of failures) {
      const isAllowed = call.attempts <= call.retries && retryAt < call.deadlineAt;
      if (reply.error.retryable && isAllowed) again.push(call);
      else finish(call, () => call.fail(withOutcome(reply.error, outcomeOfCall(call.effect))));
    }
    if (again.length > 0) this.#lanes.pause(lane, again, delayMs);
    else this.#lanes.release(lane);
  }
}

/** One wait for all calls of a lane that failed together, since they keep their order. */
function delayBefore(failures: readonly Failure[], random: number): number {
  const retryable = failures.filter(({ reply }) => reply.error.retryable);
  const attempts = Math.max(1, ...retryable.map(({ call }) => call.attempts));
  const retryAfterMs = Math.max(0, ...retryable.map(({ reply }) => reply.retryAfterMs));
  return retryDelayMs(attempts, retryAfterMs, random);
}

function finish(call: Call, tell: () => void): void {
  call.isOver = true;
  tell();
}
