import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { JsonValue, Metadata } from "@kato-rpc/shared/observation.ts";
import { LRUCache } from "lru-cache";
import { NEIGHBOURS } from "../engine/observation.ts";
import type { FollowedNode } from "../replica/followed-node.ts";
import type {
  Contact,
  Retention,
  SessionCommit,
  SessionDelta,
  SessionPart,
  SessionState,
  SessionStore,
} from "../stores/session-store.ts";
import { drawVersionMark } from "../stores/version-mark.ts";
import type { Station } from "./call.ts";
import type { Fold, KnownSession, PendingChange } from "./fold.ts";
import { foldChanges, settle } from "./fold.ts";
import type { NodeAccess } from "./node-access.ts";
import { followNodeOf, release } from "./node-access.ts";
import { NodeVectors } from "./node-vectors.ts";
import { partsToObserve } from "./observe.ts";
import type { KnownMemory, WorthKeeping } from "./session-memory.ts";
import { hasParts, memoryOf, NOTHING_KNOWN, worthKeeping } from "./session-memory.ts";

export type CommitRules = {
  contact(): Contact;
  /** Milliseconds by which the calls' deadlines pass. */
  now(): number;
  retention: Retention;
  /** Sessions whose state is kept as a guess; 20,000 unless given. */
  cachedSessions?: number | undefined;
};

/** Commits write into `state`, which nobody else keeps: the queue lets those of one session not overlap. */
type Cached = WorthKeeping & { readonly state: SessionState };

/** A session as it was read just now or, as a guess, as it stands in the cache. */
type Known = KnownSession & { guess: Cached | undefined };

/** A fold, and the version and mark of the state that it was computed from. */
type Computed = {
  known: Known;
  base: Pick<SessionState, "version" | "mark">;
  fold: Fold;
  delta: SessionDelta;
};

const CACHED_STATES = 20_000;
/** Of all that is kept beside the states, estimated. */
const CACHED_BYTES = 32 * 2 ** 20;

/** What a change that asks its node reads of a session in most cases: loaded before its state is known. */
const PARTS_OF_ASKING: readonly SessionPart[] = ["stm"];

/**
 * The one way by which a session changes. Computes changes on the state this worker last saw, and
 * writes them with the version they were computed from; when another worker was faster, the store
 * answers with the current state and they are computed again. The cache is only a guess that saves
 * a round trip: what it gets wrong, the commit finds stale.
 */
export class SessionCommitter {
  readonly #store: SessionStore;
  readonly #nodes: NodeAccess;
  readonly #rules: CommitRules;
  readonly #cache: LRUCache<string, Cached>;
  /** Commits that found a newer version, since start. */
  conflicts = 0;

  constructor(store: SessionStore, nodes: NodeAccess, rules: CommitRules) {
    this.#store = store;
    this.#nodes = nodes;
    this.#rules = rules;
    const max = rules.cachedSessions ?? CACHED_STATES;
    this.#cache = new LRUCache({ max, maxSize: CACHED_BYTES });
  }

  /**
   * Applies `changes` in order, in few commits, and settles each; a refused one does not hinder the others. One that
   * asks its node comes alone. Gives the error that kept some of them, the last, from happening, if there was one.
   */
  async commit(sessionId: string, changes: readonly PendingChange[]): Promise<unknown> {
    let left = changes;
    let most = changes.length;
    while (left.length > 0) {
      const next = left.length > most ? left.slice(0, most) : left;
      try {
        const undone = await this.#commit(sessionId, next);
        if (undone.length === 0 && next === left) return undefined;
        left = [...undone, ...left.slice(next.length)];
      } catch (error) {
        this.#cache.delete(sessionId);
        if (!isRefusal(error)) {
          for (const pending of left) pending.reject(error);
          return error;
        }
        // The vectors of one learn do not fit the node, which only the store could tell: the others must not suffer.
        if (next.length === 1) {
          next[0]?.reject(error);
          left = left.slice(1);
        }
        most = 1;
      }
    }
    return undefined;
  }

  /** Takes a session that was just made for known: its first change need not read it. */
  begin(state: SessionState): void {
    // What its observations will read, and no more: what is known is kept up to date by each of them.
    const memory: KnownMemory = partsToObserve(state, false).includes("stm")
      ? { stm: [], vectors: [] }
      : NOTHING_KNOWN;
    this.#put({ ...state, metadata: NO_METADATA }, worthKeeping(memory));
  }

  forget(sessionId: string): void {
    this.#cache.delete(sessionId);
  }

  /** Gives the changes that are still to do. */
  #commit(sessionId: string, changes: readonly PendingChange[]): Promise<readonly PendingChange[]> {
    const asking = changes.find(({ change }) => change.asks !== undefined);
    if (asking === undefined) return this.#attempt(sessionId, changes, undefined);
    return this.#commitAsking(sessionId, changes, asking);
  }

  async #commitAsking(
    sessionId: string,
    changes: readonly PendingChange[],
    asking: PendingChange,
  ): Promise<readonly PendingChange[]> {
    const following = followNodeOf(sessionId, this.#nodes, asking.call.deadlineAt);
    try {
      // Together one round trip.
      const both = Promise.all([following, this.#knowFor(sessionId, asking)]);
      const [node, known] = await asking.call.aside(both);
      trace(changes, "followed", {});
      return await this.#attempt(sessionId, changes, { node, known });
    } finally {
      release(following);
    }
  }

  async #attempt(
    sessionId: string,
    changes: readonly PendingChange[],
    asked: { node: FollowedNode; known: Known } | undefined,
  ): Promise<readonly PendingChange[]> {
    const deadlineAt = changes.reduce((latest, { call }) => Math.max(latest, call.deadlineAt), 0);
    let known =
      asked?.known ?? this.#guess(sessionId) ?? (await this.#load(sessionId, changes, []));
    const { vectors, refusal } =
      asked === undefined ? NOTHING_ASKED : await askForVectors(changes, asked.node);
    // A repeat of what has happened is answered whatever the node would say now.
    if (refusal !== undefined && known.guess !== undefined)
      known = await this.#load(sessionId, changes, []);
    while (this.#rules.now() < deadlineAt) {
      const { state } = known;
      // Taken now: a commit that overlapped this one would write into the state, and must make this one stale.
      const base = { version: state.version, mark: state.mark };
      const parts = listed(changes, ({ change }) => change.parts(state));
      if (!hasParts(known.memory, parts)) {
        known = await this.#load(sessionId, changes, parts);
        continue;
      }
      const fold = foldChanges(changes, known, {
        retention: this.#rules.retention,
        vectors: vectors?.fresh(),
      });
      trace(changes, "computed", { version: known.state.version });
      if (refusal !== undefined && fold.delta !== undefined) throw refusal;
      const isFinal = fold.delta === undefined || fold.refuses;
      if (isFinal && known.guess !== undefined) {
        // A refusal, or an answer that writes nothing, holds only for a state just read.
        known = await this.#load(sessionId, changes, parts);
        continue;
      }
      if (asked !== undefined) await this.#predict(fold, asked.node);
      if (fold.delta === undefined) {
        settle(fold.settled);
        return fold.left;
      }
      const commit = this.#describeCommit(changes, { known, base, fold, delta: fold.delta });
      const result = await this.#store.commit(commit);
      if (result.status === "committed") {
        trace(changes, "committed", { version: commit.baseVersion + 1, changes: changes.length });
        settle(fold.settled, result.frequencies);
        // No sooner: a step that settles may hold the state that it was computed on.
        this.#keep(fold, commit, known.guess);
        return fold.left;
      }
      this.conflicts += 1;
      trace(changes, "conflicted", { version: result.state.version });
      const seen = new Map([...known.seen, ...result.seen]);
      known = { state: result.state, memory: NOTHING_KNOWN, seen, guess: undefined };
    }
    throw new ServiceError(
      "STORE_UNAVAILABLE",
      "the session changed too fast to commit within the deadline; repeat the call with the same id",
      { sessionId },
    );
  }

  #describeCommit(
    changes: readonly PendingChange[],
    { known, base, fold, delta }: Computed,
  ): SessionCommit {
    return {
      sessionId: known.state.sessionId,
      at: this.#rules.contact(),
      baseVersion: base.version,
      baseMark: base.mark,
      mark: drawVersionMark(),
      time: fold.state.time,
      delta,
      // Those known to be seen were answered from memory: asked for again, they would refuse the rest.
      ids: idsOf(changes).filter((id) => !known.seen.has(id)),
      outcomes: fold.outcomes,
      learns: fold.learns,
    };
  }

  /**
   * What was committed as the next guess. Written into the one that it was computed from, where that is as large: a new
   * object for each commit would outlive the next collection of garbage, whose time is that of what it finds alive.
   */
  #keep(fold: Fold, { baseVersion, mark }: SessionCommit, guess: Cached | undefined): void {
    // No change reads the metadata, which may be large.
    const own = { version: baseVersion + 1, mark, metadata: NO_METADATA };
    const kept = worthKeeping(fold.memory);
    if (guess?.bytes === kept.bytes) {
      // Should it have left the cache, that is left as it is.
      Object.assign(guess.state, fold.state, own);
      guess.memory = kept.memory;
    } else {
      this.#put({ ...fold.state, ...own }, kept);
    }
  }

  #put(state: SessionState, { memory, bytes }: WorthKeeping): void {
    this.#cache.set(state.sessionId, { state, memory, bytes }, { size: bytes });
  }

  /** Puts predictions into the replies that want them: before the commit, so that a call that fails has done nothing. */
  async #predict(fold: Fold, node: FollowedNode): Promise<void> {
    for (const settled of fold.settled) {
      if ("refusal" in settled || settled.step.question === undefined) continue;
      const { step, pending } = settled;
      const { stm, settings, reply } = settled.step.question;
      step.reply = reply(step.reply, await node.predict(stm, settings));
      pending.call.trace("predicted");
    }
  }

  /** The session as far as `asking` reads it, from the cache if that has it all. */
  async #knowFor(sessionId: string, asking: PendingChange): Promise<Known> {
    const guess = this.#guess(sessionId);
    if (guess !== undefined && hasParts(guess.memory, asking.change.parts(guess.state)))
      return guess;
    return this.#load(sessionId, [asking], PARTS_OF_ASKING);
  }

  #guess(sessionId: string): Known | undefined {
    const cached = this.#cache.get(sessionId);
    if (cached === undefined) return undefined;
    const { state, memory } = cached;
    return { state, memory, seen: NOTHING_SEEN, guess: cached };
  }

  async #load(
    sessionId: string,
    changes: readonly PendingChange[],
    parts: readonly SessionPart[],
  ): Promise<Known> {
    const ids = idsOf(changes);
    const asked = [...new Set(parts)];
    const at = this.#rules.contact();
    const loaded = await this.#store.load(sessionId, { at, ids, parts: asked });
    trace(changes, "loaded", { version: loaded.state.version });
    const { state, seen } = loaded;
    return { state, memory: memoryOf(loaded, asked), seen, guess: undefined };
  }
}

const NOTHING_SEEN: ReadonlyMap<string, JsonValue> = new Map();
const NO_METADATA: Metadata = Object.freeze({});
const NOTHING_ASKED: Awaited<ReturnType<typeof askForVectors>> = {};

/** What the node says of the vectors asked for, or why it refuses them. */
async function askForVectors(
  changes: readonly PendingChange[],
  node: FollowedNode,
): Promise<{ vectors?: NodeVectors; refusal?: unknown }> {
  const vectors = changes.flatMap(({ change }) => change.asks?.vectors ?? []);
  if (vectors.length === 0) return {};
  try {
    return { vectors: new NodeVectors(vectors, await node.nearest(vectors, NEIGHBOURS)) };
  } catch (refusal) {
    if (isRefusal(refusal)) return { refusal };
    throw refusal;
  }
}

/** What all changes list; most come alone, and have it at hand. */
function listed<T>(
  changes: readonly PendingChange[],
  of: (pending: PendingChange) => readonly T[],
): readonly T[] {
  const [only] = changes;
  return only !== undefined && changes.length === 1 ? of(only) : changes.flatMap(of);
}

function idsOf(changes: readonly PendingChange[]): readonly string[] {
  return listed(changes, ({ change }) => change.ids);
}

function isRefusal(error: unknown): boolean {
  return error instanceof ServiceError && error.code === "VECTOR_DIMENSION_MISMATCH";
}

function trace(
  changes: readonly PendingChange[],
  station: Station,
  fields: Record<string, number>,
): void {
  for (const { call } of changes) call.trace(station, fields);
}
