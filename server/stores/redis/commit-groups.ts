import type { CommitResult, Contact, Retention, SessionCommit } from "../session-store.ts";
import type { ScriptArguments } from "./commit-arguments.ts";
import {
  commitArguments,
  groupArguments,
  needsAllKeys,
  sizeOf,
  STORE_CLOCK,
} from "./commit-arguments.ts";
import type { ConfirmedScripts } from "./confirmed-scripts.ts";
import { replyFailure } from "./connection.ts";
import { addressOf, allMemoryKeys, keysInAnyCase, sessionKeys, sessionsKey } from "./keys.ts";
import { RedisScript } from "./scripts.ts";
import { tellsWhatWasDone } from "./session-replies.ts";
import { GROUP_LIMITS, TurnGroups } from "./turn-groups.ts";

const commitScript = new RedisScript(
  "clock",
  "session",
  "remember",
  "no-learns",
  "commit-sessions",
);
const learnScript = new RedisScript(
  "clock",
  "session",
  "remember",
  "node",
  "learns",
  "commit-sessions",
);

type Waiting = {
  commit: SessionCommit;
  /** All keys of the session go with it. */
  isWhole: boolean;
  values: ScriptArguments;
  isSettled: boolean;
  resolve(result: CommitResult): void;
  reject(reason: unknown): void;
};

type Sent = { tag: string; at: Contact; bySuffix: ReadonlyMap<string, Waiting> };

/**
 * Commits that sessions of one node make in one turn of the event loop, sent as one script call. Each is still for
 * itself: its session, its version, its reply. Sessions of one node share a slot, so this works on a cluster too.
 * A commit that learns goes alone, in a script and with keys of its own: the node's memory is written with it, which
 * others should neither wait for nor pay for, and which where Redis is out of memory must be refused as a whole.
 */
export class CommitGroups {
  readonly #scripts: ConfirmedScripts;
  readonly #retention: Retention;
  readonly #read: (sessionId: string, reply: unknown) => CommitResult;
  /**
   * By node and by when they happen. A session is in a group once: its next commit builds upon what becomes of this one.
   */
  readonly #open = new TurnGroups<Waiting>(GROUP_LIMITS, (bySuffix) => this.#sendAll(bySuffix));

  /** `read`: what the script's reply to one commit says. @throws what the caller of the commit shall get */
  constructor(
    scripts: ConfirmedScripts,
    retention: Retention,
    read: (sessionId: string, reply: unknown) => CommitResult,
  ) {
    this.#scripts = scripts;
    this.#retention = retention;
    this.#read = read;
  }

  run(commit: SessionCommit): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      const { at } = commit;
      const { tag, suffix } = addressOf(commit.sessionId);
      const isWhole = needsAllKeys(commit);
      const values = commitArguments(commit, suffix, { retention: this.#retention, isWhole });
      const waiting = { commit, isWhole, values, isSettled: false, resolve, reject };
      if (commit.learns.length > 0) {
        void this.#sendLearning({ tag, at, bySuffix: new Map([[suffix, waiting]]) });
        return;
      }
      this.#add(waiting, { tag, suffix });
    });
  }

  #add(waiting: Waiting, { tag, suffix }: { tag: string; suffix: string }): void {
    const { at } = waiting.commit;
    const key = `${tag} ${at.nowMs ?? STORE_CLOCK} ${at.slides}`;
    this.#open.add({ key, name: suffix, size: sizeOf(waiting.values) }, waiting);
  }

  #sendAll(bySuffix: ReadonlyMap<string, Waiting>): void {
    const [first] = bySuffix.values();
    if (first === undefined) return;
    const { sessionId, at } = first.commit;
    void this.#send({ tag: addressOf(sessionId).tag, at, bySuffix });
  }

  /** Never rejects, nor does `#sendLearning`: every failure goes to the callers concerned. */
  #send(group: Sent): Promise<void> {
    return this.#run(commitScript, group, []);
  }

  #sendLearning(alone: Sent): Promise<void> {
    return this.#run(learnScript, alone, allMemoryKeys(alone.tag));
  }

  /** Once more, with all keys of the session: their life must be renewed, as once in a while. */
  #sendWhole(waiting: Waiting): void {
    const { commit } = waiting;
    const { tag, suffix } = addressOf(commit.sessionId);
    const retention = this.#retention;
    const values = commitArguments(commit, suffix, { retention, isWhole: true });
    this.#add({ ...waiting, isWhole: true, values, isSettled: false }, { tag, suffix });
  }

  async #run(
    script: RedisScript,
    { tag, at, bySuffix }: Sent,
    moreKeys: readonly string[],
  ): Promise<void> {
    const keys = [sessionsKey(tag)];
    const args = groupArguments(at, this.#retention, bySuffix.size);
    for (const [suffix, { values, isWhole }] of bySuffix) {
      const own = isWhole ? sessionKeys(tag, suffix) : keysInAnyCase(tag, suffix);
      for (const key of own) keys.push(key);
      for (const value of values) args.push(value);
    }
    for (const key of moreKeys) keys.push(key);
    const waiting = [...bySuffix.values()];
    const settle = (replies: unknown, isDue: (reply: unknown) => boolean) => {
      for (const [i, reply] of (replies as unknown[]).entries()) {
        const one = waiting[i];
        if (one !== undefined && isDue(reply)) this.#settle(one, reply);
      }
    };
    try {
      const replies = await this.#scripts.run(script, {
        tag,
        keys,
        args,
        atOnce: true,
        acknowledges: (all) => (all as unknown[]).some(acknowledges),
        // One that found nothing to do need not wait until the others are safe, nor fail with them.
        onReply: (all) => settle(all, (reply) => !acknowledges(reply)),
      });
      settle(replies, () => true);
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  #settle(waiting: Waiting, reply: unknown): void {
    if (waiting.isSettled) return;
    waiting.isSettled = true;
    try {
      const [status, why] = Array.isArray(reply) ? (reply as string[]) : [];
      if (status === "failed") throw replyFailure(String(why));
      if (status === "short") this.#sendWhole(waiting);
      else waiting.resolve(this.#read(waiting.commit.sessionId, reply));
    } catch (error) {
      waiting.reject(error);
    }
  }
}

/** Whether it tells that the commit was made, or what was replied to calls made before. */
function acknowledges(reply: unknown): boolean {
  return typeof reply === "number" || tellsWhatWasDone(reply);
}
