import type { TRPCClient, TRPCUntypedClient } from "@trpc/client";
import { createTRPCClientProxy } from "@trpc/client";
import type { Calls } from "./calls/calls.ts";
import type { Call } from "./dispatch/call.ts";
import { KatoError } from "./errors.ts";
import type { CallOptions } from "./options.ts";
import type { KatoRouter } from "./router-types.ts";

/** What a call's tRPC context may hold: `client.raw.session.stm.query(input, { context: { retries: 0 } })`. */
export type CallContext = Pick<CallOptions, "timeoutMs" | "retries">;

type RequestOptions = { context?: CallContext; signal?: AbortSignal };

/**
 * tRPC's typed client over `calls`. Not over tRPC's chain of links: its observables and the signal it makes for each
 * call cost more than all that is left of a call.
 */
export function createProcedures(calls: Calls): TRPCClient<KatoRouter> {
  const maker =
    (kind: Call["kind"]) =>
    (path: string, input?: unknown, { context, signal }: RequestOptions = {}) =>
      calls.make({ kind, path, input, options: { ...context, signal } });
  const untyped = {
    query: maker("query"),
    mutation: maker("mutation"),
    subscription(path: string): never {
      throw new KatoError("INVALID_INPUT", `${path}: the service has no subscriptions`);
    },
  };
  // These three are all that tRPC asks of the client beneath.
  return createTRPCClientProxy(untyped as unknown as TRPCUntypedClient<KatoRouter>);
}
