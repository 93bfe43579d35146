import type { TRPCClient } from "@trpc/client";
import { Calls } from "./calls/calls.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import { KatoError } from "./errors.ts";
import type { CallOptions, KatoClientOptions } from "./options.ts";
import { resolveOptions } from "./options.ts";
import type { Platform } from "./platform.ts";
import { PLATFORM } from "./platform.ts";
import type { NodeProcedures } from "./node-procedures.ts";
import { nodeProcedures } from "./node-procedures.ts";
import { createProcedures } from "./procedures.ts";
import { procedureOptions } from "./procedure-options.ts";
import type { KatoInputs, KatoOutputs, KatoRouter } from "./router-types.ts";
import { CreatedSession, SessionHandle } from "./session-handle.ts";

export type KatoClient = {
  session: {
    /** Creates a session on a node. Repeated with the same `requestId`, it gives the same session. */
    create(input: KatoInputs["session"]["create"], options?: CallOptions): Promise<CreatedSession>;
    /** A handle for an existing session; makes no call, so the session may turn out not to exist. */
    attach(sessionId: string): SessionHandle;
    /** A page of sessions; `nextCursor` continues it, null is the last. */
    list(
      input?: KatoInputs["session"]["list"],
      options?: CallOptions,
    ): Promise<KatoOutputs["session"]["list"]>;
    count(
      input?: KatoInputs["session"]["count"],
      options?: CallOptions,
    ): Promise<KatoOutputs["session"]["count"]>;
  };
  /** Long-term memory, by node id. */
  node: NodeProcedures;
  monitor: {
    concurrency(
      input?: KatoInputs["monitor"]["concurrency"],
      options?: CallOptions,
    ): Promise<KatoOutputs["monitor"]["concurrency"]>;
    health(options?: CallOptions): Promise<KatoOutputs["monitor"]["health"]>;
    stats(options?: CallOptions): Promise<KatoOutputs["monitor"]["stats"]>;
  };
  /**
   * Every procedure by its name, with the same ids, order, batches, retries and errors, such as
   * `raw.session.observe.mutate({ sessionId, strings }, { signal, context: { timeoutMs, retries } })`.
   */
  raw: TRPCClient<KatoRouter>;
  /** Gives up what is under way (ABORTED), refuses later calls and settles once all requests have ended. */
  close(): Promise<void>;
  /** The same as `close`, for `await using`, where the platform knows that. */
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * A client for one service. Calls of one tick travel together as batches; calls on one session take
 * effect in the order in which they were made; what may succeed later is retried under the same id.
 *
 * @throws KatoError INVALID_INPUT for an option out of range
 * @example
 * const client = createKatoClient({ url: "http://127.0.0.1:8000" });
 * const session = await client.session.create({ nodeId: "greetings" });
 * await session.observe({ strings: ["hello", "world"] });
 * const { stm } = await session.stm();
 */
export function createKatoClient(options: KatoClientOptions): KatoClient {
  return createClient(options, PLATFORM);
}

/** As `createKatoClient`, on another platform. */
export function createClient(options: KatoClientOptions, platform: Platform): KatoClient {
  const resolved = resolveOptions(options, platform);
  const dispatcher = new Dispatcher(resolved);
  const closed = new AbortController();
  const calls = new Calls(resolved, dispatcher);
  const raw = createProcedures(calls);
  const close = (cause?: unknown) => {
    closed.abort();
    calls.close(new KatoError("ABORTED", "the client is closed", { cause }));
    return dispatcher.close();
  };
  closeWith(options.signal, close, closed.signal);
  const client = { ...procedures(raw), raw, close: () => close() };
  // Where the symbol is missing, so is the syntax that would use it: there the type promises nothing.
  if (!("asyncDispose" in Symbol)) return client as KatoClient;
  return Object.assign(client, { [Symbol.asyncDispose]: () => close() });
}

function procedures(raw: TRPCClient<KatoRouter>): Pick<KatoClient, "session" | "node" | "monitor"> {
  const { session, monitor } = raw;
  return {
    session: {
      async create(input, options) {
        const info = await session.create.mutate(input, procedureOptions(options));
        return new CreatedSession(session, info);
      },
      attach: (sessionId) => new SessionHandle(session, sessionId),
      list: (input, options) => session.list.query(input, procedureOptions(options)),
      count: (input, options) => session.count.query(input, procedureOptions(options)),
    },
    node: nodeProcedures(raw.node),
    monitor: {
      concurrency: (input, options) => monitor.concurrency.query(input, procedureOptions(options)),
      health: (options) => monitor.health.query(undefined, procedureOptions(options)),
      stats: (options) => monitor.stats.query(undefined, procedureOptions(options)),
    },
  };
}

/** Closes when `signal` aborts; does not hold on to the signal once closed. */
function closeWith(
  signal: AbortSignal | undefined,
  close: (cause: unknown) => Promise<void>,
  closed: AbortSignal,
): void {
  if (signal === undefined) return;
  const onAbort = () => void close(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true, signal: closed });
}
