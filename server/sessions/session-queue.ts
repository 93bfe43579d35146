import { ERROR_CATALOGUE, ServiceError } from "@kato-rpc/shared/errors.ts";
import type { Call } from "./call.ts";
import type { PendingChange } from "./fold.ts";
import type { SessionChange } from "./session-change.ts";
import type { SessionCommitter } from "./session-committer.ts";

/** Something other than a change that has its place in a session's order: a read, a delete. */
type PendingTask = {
  run(): Promise<unknown>;
  call: Call;
  resolve(reply: unknown): void;
  reject(reason: unknown): void;
};

type Pending = PendingTask | PendingChange;

/** Changes that one commit may hold, and their weight; more would make one call wait long for the others. */
const CHANGES_PER_COMMIT = 256;
const WEIGHT_PER_COMMIT = 10_000;

/**
 * One line of calls for each session, served in the order of arrival. Changes that wait one behind
 * another are committed together, so that a burst on one session costs few round trips. A session
 * nobody calls has no line; the number of waiting calls is bounded by admission.
 */
export class SessionQueue {
  readonly #committer: SessionCommitter;
  readonly #now: () => number;
  readonly #lines = new Map<string, Pending[]>();

  constructor(committer: SessionCommitter, now: () => number) {
    this.#committer = committer;
    this.#now = now;
  }

  change<Reply>(sessionId: string, change: SessionChange<Reply>, call: Call): Promise<Reply> {
    return new Promise<Reply>((resolve, reject) => {
      // The promise's type and the change's reply are one; the queue itself looks at neither.
      this.#enter(sessionId, {
        change,
        call,
        resolve: resolve as (reply: unknown) => void,
        reject,
      });
    });
  }

  task<Reply>(sessionId: string, run: () => Promise<Reply>, call: Call): Promise<Reply> {
    return new Promise<Reply>((resolve, reject) => {
      this.#enter(sessionId, { run, call, resolve: resolve as (reply: unknown) => void, reject });
    });
  }

  #enter(sessionId: string, pending: Pending): void {
    pending.call.queued();
    const line = this.#lines.get(sessionId);
    if (line !== undefined) {
      line.push(pending);
      return;
    }
    const started = [pending];
    this.#lines.set(sessionId, started);
    void this.#serve(sessionId, started);
  }

  /** Never rejects: every failure goes to the caller concerned. */
  async #serve(sessionId: string, line: Pending[]): Promise<void> {
    // Give the calls that arrive in the same tick the chance to join the first commit.
    await Promise.resolve();
    while (line.length > 0) {
      const next = this.#refuseLate(takeNext(line), line);
      const [first] = next;
      if (first === undefined) continue;
      const failure =
        "run" in first
          ? await runTask(first)
          : await this.#committer.commit(sessionId, next as PendingChange[]);
      if (mayBeRepeated(failure)) {
        // The calls that failed will be repeated: those that came after them must not overtake them.
        for (const pending of line.splice(0)) pending.reject(failure);
      }
    }
    this.#lines.delete(sessionId);
  }

  /** Gives those of `next` whose turn comes in time. Calls behind a late one would overtake its repeat, like those above. */
  #refuseLate(next: Pending[], line: Pending[]): Pending[] {
    const now = this.#now();
    const late = next.findIndex(({ call }) => now >= call.deadlineAt);
    if (late === -1) return next;
    for (const pending of [...next.splice(late), ...line.splice(0)]) {
      const whose =
        now < pending.call.deadlineAt ? "the deadline of a call before it" : "the deadline";
      const message = `${whose} passed before the call's turn; nothing was done, repeat it with the same id`;
      pending.reject(new ServiceError("STORE_UNAVAILABLE", message));
    }
    return next;
  }
}

/** Settles the task; gives the error with which it failed, if it did. */
async function runTask(task: PendingTask): Promise<unknown> {
  try {
    task.resolve(await task.run());
    return undefined;
  } catch (error) {
    task.reject(error);
    return error;
  }
}

function mayBeRepeated(failure: unknown): boolean {
  return failure instanceof ServiceError && ERROR_CATALOGUE[failure.code].retryable;
}

/** Removes from the front of `line` one task, one change that asks its node, or the changes that one commit takes. */
function takeNext(line: Pending[]): Pending[] {
  let count = 0;
  let weight = 0;
  let unfinished: Set<string> | undefined;
  for (const pending of line) {
    if ("run" in pending || pending.change.asks !== undefined || count >= CHANGES_PER_COMMIT) break;
    const { change } = pending;
    weight += change.weight;
    if (count > 0 && weight > WEIGHT_PER_COMMIT) break;
    if (unfinished !== undefined && change.ids.some((id) => unfinished?.has(id))) break;
    if (change.finishes === true) unfinished = new Set([...(unfinished ?? []), ...change.ids]);
    count += 1;
  }
  return line.splice(0, Math.max(1, count));
}
