import type { TRPCClient } from "@trpc/client";
import type { CallOptions } from "./options.ts";
import { procedureOptions } from "./procedure-options.ts";
import type { KatoInputs, KatoOutputs, KatoRouter } from "./router-types.ts";

type Inputs = KatoInputs["session"];
type Outputs = KatoOutputs["session"];
/** A procedure's input without the session, which the handle knows. */
type InputOf<Name extends keyof Inputs> = Omit<NonNullable<Inputs[Name]>, "sessionId">;

/**
 * One session. Calls made through handles (or `raw`) of one client on one session take effect in the
 * order in which they were made, retries included.
 *
 * A handle owns nothing: the session lives with the service until it is deleted or expires, so there is
 * nothing to dispose of, and two handles of one session are as good as one.
 *
 * Every method throws a KatoError; SESSION_NOT_FOUND and SESSION_EXPIRED tell why a session is gone.
 */
export class SessionHandle {
  readonly sessionId: string;
  readonly #procedures: TRPCClient<KatoRouter>["session"];

  constructor(procedures: TRPCClient<KatoRouter>["session"], sessionId: string) {
    this.#procedures = procedures;
    this.sessionId = sessionId;
  }

  /**
   * Observes one event; without input only the session's time goes on. Gets an `observationId` if it
   * has none, so that it is kept exactly once however often it is sent.
   */
  observe(input: InputOf<"observe"> = {}, options?: CallOptions): Promise<Outputs["observe"]> {
    return this.#procedures.observe.mutate(this.#with(input), procedureOptions(options));
  }

  /** Observes several events, and learns among them where asked to, as one change: all of it or nothing. */
  observeSequence(
    input: InputOf<"observeSequence">,
    options?: CallOptions,
  ): Promise<Outputs["observeSequence"]> {
    return this.#procedures.observeSequence.mutate(this.#with(input), procedureOptions(options));
  }

  /**
   * Learns short-term memory as a pattern of the node and empties it; `learned` is null for a single symbol.
   * INVALID_INPUT with `reason: "EMPTY_STM"` when there is nothing to learn; VECTOR_DIMENSION_MISMATCH when vectors were
   * observed that do not fit those of the node, until `clearStm`.
   */
  learn(input: InputOf<"learn"> = {}, options?: CallOptions): Promise<Outputs["learn"]> {
    return this.#procedures.learn.mutate(this.#with(input), procedureOptions(options));
  }

  /**
   * What the node's patterns say of short-term memory, highest first; `overrides` change the session's settings for
   * this call. Sees every learn that was acknowledged before, by whomever. `empty` says why there are none.
   */
  predict(input: InputOf<"predict"> = {}, options?: CallOptions): Promise<Outputs["predict"]> {
    return this.#procedures.predict.query(this.#with(input), procedureOptions(options));
  }

  /**
   * What comes next and how probable it is: at most `k` events, that the sequence is over (`end`), and anything else
   * (`other`), which sum up to 1; `because` names the evidence. `horizon` asks further ahead. Sees what `predict` sees.
   */
  next(input: InputOf<"next"> = {}, options?: CallOptions): Promise<Outputs["next"]> {
    return this.#procedures.next.query(this.#with(input), procedureOptions(options));
  }

  /** Predictions, emotives and symbols of the session as it is now. */
  cognition(options?: CallOptions): Promise<Outputs["cognition"]> {
    return this.#procedures.cognition.query(this.#with({}), procedureOptions(options));
  }

  /** Short-term memory: its events, oldest first. */
  stm(options?: CallOptions): Promise<Outputs["stm"]> {
    return this.#procedures.stm.query(this.#with({}), procedureOptions(options));
  }

  /** The last observation as processed. */
  percept(options?: CallOptions): Promise<Outputs["percept"]> {
    return this.#procedures.percept.query(this.#with({}), procedureOptions(options));
  }

  /** The session's state as it is now. */
  get(options?: CallOptions): Promise<Outputs["get"]> {
    return this.#procedures.get.query(this.#with({}), procedureOptions(options));
  }

  /** Whether the session lives, or has expired; alone among the methods it does not prolong its life. */
  exists(options?: CallOptions): Promise<Outputs["exists"]> {
    return this.#procedures.exists.query(this.#with({}), procedureOptions(options));
  }

  /** Lets the session live for `ttlSeconds` from now; without, for its own time to live. */
  extend(input: InputOf<"extend"> = {}, options?: CallOptions): Promise<Outputs["extend"]> {
    return this.#procedures.extend.mutate(this.#with(input), procedureOptions(options));
  }

  /** Changes the settings given in `config` and keeps the others; null unsets one. */
  configure(input: InputOf<"configure">, options?: CallOptions): Promise<Outputs["configure"]> {
    return this.#procedures.configure.mutate(this.#with(input), procedureOptions(options));
  }

  /** Empties short-term memory and sets the session's time to 0; its settings stay. */
  clearStm(input: InputOf<"clearStm"> = {}, options?: CallOptions): Promise<Outputs["clearStm"]> {
    return this.#procedures.clearStm.mutate(this.#with(input), procedureOptions(options));
  }

  /** Deletes the session. `deleted` is false when there was none (any more). */
  delete(options?: CallOptions): Promise<Outputs["delete"]> {
    return this.#procedures.delete.mutate(this.#with({}), procedureOptions(options));
  }

  #with<Input extends object>(input: Input): Input & { sessionId: string } {
    return { ...input, sessionId: this.sessionId };
  }
}

/** A session just created: a handle with what the service told about it. */
export class CreatedSession extends SessionHandle {
  readonly nodeId: string;
  /** As it was when the session was created; `get()` tells what is now. */
  readonly info: Outputs["create"];

  constructor(procedures: TRPCClient<KatoRouter>["session"], info: Outputs["create"]) {
    super(procedures, info.sessionId);
    this.nodeId = info.nodeId;
    this.info = info;
  }
}
