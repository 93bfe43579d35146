import type { Operation, TRPCLink } from "@trpc/client";
import { observable } from "@trpc/server/observable";
import type { Call } from "../dispatch/call.ts";
import { encodeInput, refuseTooLarge, sessionIdIn } from "../dispatch/call.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import { KatoError } from "../errors.ts";
import type { KatoRouter } from "../router-types.ts";
import { limitsOf } from "./call-context.ts";

/** Ends the chain: hands each call to the dispatcher and its answer back. */
export function dispatchLink(dispatcher: Dispatcher, pathname: string): TRPCLink<KatoRouter> {
  return () =>
    ({ op }) =>
      observable((observer) => {
        const settle: Pick<Call, "succeed" | "fail"> = {
          succeed(data) {
            observer.next({ result: { type: "data", data } });
            observer.complete();
          },
          fail: (error) => observer.error(error),
        };
        let call: Call;
        try {
          call = createCall(op, settle, pathname);
        } catch (error) {
          observer.error(error as KatoError);
          return;
        }
        return dispatcher.add(call);
      });
}

/** @throws KatoError INVALID_INPUT, LIMIT_EXCEEDED */
function createCall(op: Operation, settle: Pick<Call, "succeed" | "fail">, pathname: string): Call {
  const { path, type: kind, input } = op;
  if (kind === "subscription") {
    throw new KatoError("INVALID_INPUT", `${path}: the service has no subscriptions`);
  }
  const { retries, deadlineAt, effect } = limitsOf(op);
  const call: Call = {
    kind,
    path,
    ...encodeInput(kind, path, input),
    sessionId: sessionIdIn(input),
    retries,
    deadlineAt,
    attempts: 0,
    effect,
    isOver: false,
    ...settle,
  };
  refuseTooLarge(call, pathname);
  return call;
}
