import type { NewSession } from "../session-store.ts";
import type { ScriptArguments } from "./commit-arguments.ts";
import { jsonUnlessEmpty, sizeOf, STORE_CLOCK } from "./commit-arguments.ts";
import type { ConfirmedScripts } from "./confirmed-scripts.ts";
import { replyFailure } from "./connection.ts";
import { addressOf, nodeKeys, sessionKeys } from "./keys.ts";
import { RedisScript } from "./scripts.ts";
import { GROUP_LIMITS, TurnGroups } from "./turn-groups.ts";

export const createScript = new RedisScript("clock", "create-sessions");

/** What create-sessions.lua replies of one session. */
export type Creation =
  | ["created", expiry: string]
  | ["repeated", suffix: string, digest: string]
  | ["taken", nodeId: string];

type Waiting = {
  session: NewSession;
  keys: string[];
  values: ScriptArguments;
  resolve(creation: Creation): void;
  reject(reason: unknown): void;
};

/** Sessions that are created on one node in one turn of the event loop, by one script call; each still for itself. */
export class CreationGroups {
  readonly #scripts: ConfirmedScripts;
  readonly #groups = new TurnGroups<Waiting>(GROUP_LIMITS, (group) => void this.#send(group));

  constructor(scripts: ConfirmedScripts) {
    this.#scripts = scripts;
  }

  /** `rememberedMs`: for how long the request's id is known. */
  run(session: NewSession, rememberedMs: number): Promise<Creation> {
    return new Promise((resolve, reject) => {
      const { tag, suffix } = addressOf(session.sessionId);
      const [head = ""] = sessionKeys(tag, suffix);
      const keys = [head, nodeKeys(session.nodeId).request(session.requestId ?? "")];
      const values = creationArguments(session, suffix, rememberedMs);
      const key = `${session.nowMs ?? STORE_CLOCK} ${session.nodeId}`;
      this.#groups.add(
        { key, name: suffix, size: sizeOf(values) },
        { session, keys, values, resolve, reject },
      );
    });
  }

  /** Never rejects: every failure goes to the callers concerned. */
  async #send(group: readonly Waiting[]): Promise<void> {
    const [first] = group;
    if (first === undefined) return;
    const { sessionId, nodeId, nowMs } = first.session;
    const node = nodeKeys(nodeId);
    const keys = [node.sessions, node.node];
    const args: ScriptArguments = [nowMs ?? STORE_CLOCK, nodeId, group.length];
    for (const waiting of group) {
      for (const key of waiting.keys) keys.push(key);
      for (const value of waiting.values) args.push(value);
    }
    const settleWhere = (replies: unknown, isDue: (reply: Reply) => boolean) => {
      for (const [i, waiting] of group.entries()) {
        const reply = (replies as Reply[])[i] ?? NO_REPLY;
        if (isDue(reply)) settle(waiting, reply);
      }
    };
    try {
      const replies = await this.#scripts.run(createScript, {
        tag: addressOf(sessionId).tag,
        keys,
        args,
        atOnce: true,
        acknowledges: (all) => (all as Reply[]).some(acknowledges),
        // One that was not created need not wait until the others are safe, nor fail with them.
        onReply: (all) => settleWhere(all, (reply) => !acknowledges(reply)),
      });
      settleWhere(replies, () => true);
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}

type Reply = Creation | ["failed", why: string];

const NO_REPLY: Reply = ["failed", "no reply"];

function acknowledges([status]: Reply): boolean {
  return status === "created" || status === "repeated";
}

/** What create-sessions.lua takes of one session. */
export function creationArguments(
  session: Omit<NewSession, "sessionId" | "nodeId" | "nowMs">,
  suffix: string,
  rememberedMs: number,
): ScriptArguments {
  const { ttlSeconds, metadata, config, requestId, digest = "", mark } = session;
  return [
    suffix,
    ttlSeconds,
    jsonUnlessEmpty(metadata),
    jsonUnlessEmpty(config),
    requestId === undefined ? 0 : rememberedMs,
    digest,
    mark,
  ];
}

/** Once more for one that is settled does nothing. */
function settle({ resolve, reject }: Waiting, reply: Reply): void {
  if (reply[0] === "failed") reject(replyFailure(reply[1]));
  else resolve(reply);
}
