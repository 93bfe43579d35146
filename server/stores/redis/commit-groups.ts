import type { CommitResult, Retention, SessionCommit } from "../session-store.ts";
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
  tag: string;
  suffix: string;
  /** All keys of the session go with it. */
  isWhole: boolean;
  values: ScriptArguments;
  isSettled: boolean;
  resolve(result: CommitResult): void;
  reject(reason: unknown): void;
};

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
  readonly #open = new TurnGroups<Waiting>(GROUP_LIMITS, (group) => this.#send(group));

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
      const { tag, suffix } = addressOf(commit.sessionId);
      const isWhole = needsAllKeys(commit);
      const values = this.#valuesOf(commit, suffix, isWhole);
      const waiting = { commit, tag, suffix, isWhole, values, isSettled: false, resolve, reject };
      if (commit.learns.length === 0) this.#add(waiting);
      else void this.#run(learnScript, [waiting], allMemoryKeys(tag));
    });
  }

  #valuesOf(commit: SessionCommit, suffix: string, isWhole: boolean): ScriptArguments {
    return commitArguments(commit, suffix, { retention: this.#retention, isWhole });
  }

  #add(waiting: Waiting): void {
    const { tag, values, commit } = waiting;
    const { nowMs, slides } = commit.at;
    const isUsual = nowMs === undefined && slides;
    const key = isUsual ? tag : `${tag} ${nowMs ?? STORE_CLOCK} ${slides}`;
    this.#open.add({ key, name: commit.sessionId, size: sizeOf(values) }, waiting);
  }

  #send(group: readonly Waiting[]): void {
    void this.#run(commitScript, group, []);
  }

  /** Once more, with all keys of the session: their life must be renewed, as once in a while. */
  #sendWhole(waiting: Waiting): void {
    const values = this.#valuesOf(waiting.commit, waiting.suffix, true);
    this.#add({ ...waiting, isWhole: true, values, isSettled: false });
  }

  /** Of one node and one moment. Never rejects: every failure goes to the callers concerned. */
  async #run(
    script: RedisScript,
    group: readonly Waiting[],
    moreKeys: readonly string[],
  ): Promise<void> {
    const [first] = group;
    if (first === undefined) return;
    const { tag } = first;
    const keys = [sessionsKey(tag)];
    const args = groupArguments(first.commit.at, this.#retention, group.length);
    for (const { suffix, values, isWhole } of group) {
      const own = isWhole ? sessionKeys(tag, suffix) : keysInAnyCase(tag, suffix);
      for (const key of own) keys.push(key);
      for (const value of values) args.push(value);
    }
    for (const key of moreKeys) keys.push(key);
    const settle = (replies: unknown, isDue: (reply: unknown) => boolean) => {
      for (const [i, reply] of (replies as unknown[]).entries()) {
        const one = group[i];
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
      for (const { reject } of group) reject(error);
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
