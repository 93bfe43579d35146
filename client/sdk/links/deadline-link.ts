import type { TRPCLink } from "@trpc/client";
import { observable } from "@trpc/server/observable";
import { AbortWatch } from "../abort-watch.ts";
import { outcomeOfCall } from "../dispatch/call.ts";
import { KatoError, withOutcome } from "../errors.ts";
import type { ResolvedOptions } from "../options.ts";
import type { KatoRouter } from "../router-types.ts";
import { withLimits } from "./call-context.ts";

/**
 * Ends a call for its caller at its deadline (TIMEOUT), when its signal aborts or when the client is
 * closed (ABORTED): at once, whatever becomes of the request. What comes after hears of it by being
 * unsubscribed from.
 */
export function deadlineLink(options: ResolvedOptions, closing: AbortSignal): TRPCLink<KatoRouter> {
  const watch = new AbortWatch();
  return () =>
    ({ op: given, next }) =>
      observable((observer) => {
        let hasEnded = false;
        const ends: (() => void)[] = [];
        const end = () => {
          hasEnded = true;
          for (const stop of ends.splice(0)) stop();
        };
        const fail = (error: unknown) => {
          if (hasEnded) return;
          end();
          observer.error(error as KatoError);
        };
        /** Ends a call that might still be answered. */
        const cut = (error: KatoError) => {
          const effect = limited?.effect;
          fail(withOutcome(error, effect === undefined ? "no-effect" : outcomeOfCall(effect)));
        };
        const abort = (reason: unknown) => cut(aborted(given.path, reason));

        let limited: ReturnType<typeof withLimits> | undefined;
        try {
          limited = withLimits(given, options);
        } catch (error) {
          fail(error);
          return;
        }
        const { op, timeoutMs } = limited;
        for (const signal of op.signal ? [closing, op.signal] : [closing]) {
          ends.push(watch.add(signal, abort));
        }
        if (hasEnded) return;
        ends.push(options.platform.after(timeoutMs, () => cut(timedOut(op.path, timeoutMs))));
        const sent = next(op).subscribe({
          // A call has one result. To complete besides would make tRPC abort what nobody waits for any more,
          // and an error with its stack for that, at every call.
          next(result) {
            end();
            observer.next(result);
          },
          error: fail,
        });
        if (hasEnded) sent.unsubscribe();
        else ends.push(() => sent.unsubscribe());
        return end;
      });
}

function aborted(path: string, reason: unknown): KatoError {
  if (reason instanceof KatoError) return reason;
  return new KatoError("ABORTED", `${path}: aborted by the caller`, { cause: reason });
}

function timedOut(path: string, timeoutMs: number): KatoError {
  return new KatoError("TIMEOUT", `${path}: no answer within ${timeoutMs} ms`);
}
