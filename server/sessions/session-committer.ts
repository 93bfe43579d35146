import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { JsonValue } from "@kato-rpc/shared/observation.ts";
import { LRUCache } from "lru-cache";
import type {
  Contact,
  CurrentSession,
  Outcome,
  SessionDelta,
  SessionState,
  SessionStore,
} from "../stores/session-store.ts";
import type { Call, Station } from "./call.ts";
import type { SessionChange, Step } from "./session-change.ts";
import { joinDeltas } from "./session-change.ts";

/** A change on its way, with the caller who waits for it. */
export type PendingChange = {
  change: SessionChange<unknown>;
  call: Call;
  resolve(reply: unknown): void;
  reject(reason: unknown): void;
};

type Settled =
  | { pending: PendingChange; step: Step<unknown> }
  | { pending: PendingChange; refusal: unknown };

/** Changes computed one after another on one state, joined into what one commit writes. */
type Fold = {
  settled: Settled[];
  state: SessionState;
  delta: SessionDelta | undefined;
  outcomes: Outcome[];
  refuses: boolean;
};

const CACHED_STATES = 20_000;

/**
 * The one way by which a session changes. Computes changes on the state this worker last saw, and
 * writes them with the version they were computed from; when another worker was faster, the store
 * answers with the current state and they are computed again. The cache is only a guess that saves
 * a round trip: what it gets wrong, the commit finds stale.
 */
export class SessionCommitter {
  readonly #store: SessionStore;
  readonly #contact: () => Contact;
  readonly #states = new LRUCache<string, SessionState>({ max: CACHED_STATES });
  /** Commits that found a newer version, since start. */
  conflicts = 0;

  constructor(store: SessionStore, contact: () => Contact) {
    this.#store = store;
    this.#contact = contact;
  }

  /**
   * Applies `changes` in order as one commit and settles each; a refused one does not hinder the others.
   * Gives the error that kept all of them from happening, if there was one.
   */
  async commit(sessionId: string, changes: readonly PendingChange[]): Promise<unknown> {
    try {
      for (const settled of await this.#fold(sessionId, changes)) {
        if ("refusal" in settled) settled.pending.reject(settled.refusal);
        else settled.pending.resolve(settled.step.reply);
      }
      return undefined;
    } catch (error) {
      this.#states.delete(sessionId);
      for (const pending of changes) pending.reject(error);
      return error;
    }
  }

  forget(sessionId: string): void {
    this.#states.delete(sessionId);
  }

  async #fold(sessionId: string, changes: readonly PendingChange[]): Promise<Settled[]> {
    const deadlineAt = Math.max(...changes.map(({ call }) => call.deadlineAt));
    const ids = changes.flatMap(({ change }) => change.ids);
    const cached = this.#states.get(sessionId);
    let current = cached === undefined ? await this.#load(sessionId, changes, ids) : guess(cached);
    while (this.#contact().nowMs < deadlineAt) {
      const { seen } = current;
      const fold = applyAll(changes, current);
      trace(changes, "computed", { version: current.state.version });
      if (fold.delta === undefined || (fold.refuses && current.guessed)) {
        // A refusal, or an answer that writes nothing, holds only for a state just read.
        if (!current.guessed) return fold.settled;
        current = await this.#load(sessionId, changes, ids);
        continue;
      }
      const result = await this.#store.commit({
        sessionId,
        at: this.#contact(),
        baseVersion: current.state.version,
        time: fold.state.time,
        delta: fold.delta,
        // Those known to be seen were answered from memory: asked for again, they would refuse the rest.
        ids: ids.filter((id) => !seen.has(id)),
        outcomes: fold.outcomes,
      });
      if (result.status === "committed") {
        const version = current.state.version + 1;
        trace(changes, "committed", { version, changes: changes.length });
        // No change reads the metadata, which may be large.
        this.#states.set(sessionId, { ...fold.state, version, metadata: {} });
        return fold.settled;
      }
      this.conflicts += 1;
      trace(changes, "conflicted", { version: result.state.version });
      current = { state: result.state, seen: new Map([...seen, ...result.seen]), guessed: false };
    }
    throw new ServiceError(
      "STORE_UNAVAILABLE",
      "the session changed too fast to commit within the deadline; repeat the call with the same id",
      { sessionId },
    );
  }

  async #load(
    sessionId: string,
    changes: readonly PendingChange[],
    ids: readonly string[],
  ): Promise<Base> {
    const loaded = await this.#store.load(sessionId, { at: this.#contact(), ids });
    trace(changes, "loaded", { version: loaded.state.version });
    return { state: loaded.state, seen: loaded.seen, guessed: false };
  }
}

/** The state to compute on, and whether it comes from the cache and may be old. */
type Base = Pick<CurrentSession, "state" | "seen"> & { guessed: boolean };

function guess(state: SessionState): Base {
  return { state, seen: new Map(), guessed: true };
}

function applyAll(changes: readonly PendingChange[], base: Base): Fold {
  const seen = new Map<string, JsonValue>(base.seen);
  const fold: Fold = {
    settled: [],
    state: base.state,
    delta: undefined,
    outcomes: [],
    refuses: false,
  };
  for (const pending of changes) {
    pending.call.sessionId = base.state.sessionId;
    pending.call.nodeId = base.state.nodeId;
    try {
      const step = pending.change.apply(fold.state, seen);
      fold.state = step.state;
      if (step.delta !== undefined) {
        fold.delta = fold.delta === undefined ? step.delta : joinDeltas(fold.delta, step.delta);
      }
      for (const outcome of step.outcomes) {
        seen.set(outcome.id, outcome.reply);
        fold.outcomes.push(outcome);
      }
      fold.settled.push({ pending, step });
    } catch (refusal) {
      fold.refuses = true;
      fold.settled.push({ pending, refusal });
    }
  }
  return fold;
}

function trace(
  changes: readonly PendingChange[],
  station: Station,
  fields: Record<string, number>,
): void {
  for (const { call } of changes) call.trace(station, fields);
}
