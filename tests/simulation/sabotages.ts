import type { LoadedSession, SessionStore } from "../../server/stores/session-store.ts";

/** What a worker sees of the store, with a mistake between that breaks a promise. */
export type Sabotage = (store: SessionStore) => SessionStore;

/** By what a service does that has it. */
export const SABOTAGES: Readonly<Record<string, Sabotage>> = {
  "acknowledges a change before it is committed": (store) =>
    instead(store, {
      async commit(commit) {
        store.commit(commit).catch(() => undefined);
        const frequencies = commit.learns.map((learn) => ("hash" in learn ? 1 : null));
        return { status: "committed", expiresAt: 0, frequencies };
      },
    }),
  "forgets under which ids changes were made": (store) =>
    instead(store, { commit: (commit) => store.commit({ ...commit, ids: [], outcomes: [] }) }),
  "commits on whatever version there is": (store) =>
    instead(store, {
      async commit(commit) {
        const result = await store.commit(commit);
        if (result.status === "committed" || result.seen.size > 0) return result;
        const { version: baseVersion, mark: baseMark } = result.state;
        return store.commit({ ...commit, baseVersion, baseMark });
      },
    }),
  "knows a version by its number alone": (store) =>
    instead(store, {
      create: (session) => store.create({ ...session, mark: "" }),
      commit: (commit) => store.commit({ ...commit, baseMark: "", mark: "" }),
    }),
  "reads from a cache that nobody keeps up to date": (store) => {
    const read = new Map<string, LoadedSession>();
    return instead(store, {
      async load(sessionId, options) {
        const isRead = options.ids === undefined;
        const cached = isRead ? read.get(sessionId) : undefined;
        if (cached !== undefined) return cached;
        const loaded = await store.load(sessionId, options);
        if (isRead) read.set(sessionId, loaded);
        return loaded;
      },
    });
  },
  "takes every failed delete for done": (store) =>
    instead(store, {
      delete: (...asked) => store.delete(...asked).catch(() => true),
    }),
  "gives one session to two creations": (store) => {
    let first: Awaited<ReturnType<SessionStore["create"]>> | undefined;
    return instead(store, {
      async create(session) {
        first ??= await store.create(session);
        return first;
      },
    });
  },
};

/** @throws Error for a name that none of them has */
export function sabotageCalled(name: string | undefined): Sabotage | undefined {
  if (name === undefined) return undefined;
  const sabotage = SABOTAGES[name];
  if (sabotage !== undefined) return sabotage;
  throw new Error(`no sabotage ${JSON.stringify(name)}: ${Object.keys(SABOTAGES).join("; ")}`);
}

/** The store with some methods of its own replaced. */
function instead(store: SessionStore, methods: Partial<SessionStore>): SessionStore {
  return new Proxy(store, {
    get(target, name: keyof SessionStore) {
      const method: unknown = methods[name] ?? target[name];
      return typeof method === "function" ? method.bind(target) : method;
    },
  });
}
