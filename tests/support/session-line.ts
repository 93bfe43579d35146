import type { NodeAccess } from "../../server/sessions/node-access.ts";
import { SessionCommitter } from "../../server/sessions/session-committer.ts";
import { SessionQueue } from "../../server/sessions/session-queue.ts";
import type { Retention, SessionCommit, SessionStore } from "../../server/stores/session-store.ts";

export const RETENTION: Retention = {
  events: 1_000,
  accumulated: 1_000,
  outcomes: 1_024,
  outcomesMs: 3_600_000,
};

/** A line on `store`, as one worker has it; notes every commit that reaches the store. */
export function openLine(store: SessionStore, nodes: NodeAccess) {
  const commits: SessionCommit[] = [];
  const watched: SessionStore = Object.assign(Object.create(store) as SessionStore, {
    load: store.load.bind(store),
    delete: store.delete.bind(store),
    commit(commit: SessionCommit) {
      commits.push(commit);
      return store.commit(commit);
    },
  });
  const committer = new SessionCommitter(watched, nodes, {
    contact: () => ({ nowMs: undefined, slides: true }),
    now: Date.now,
    retention: RETENTION,
  });
  return { queue: new SessionQueue(committer, Date.now), committer, commits };
}
