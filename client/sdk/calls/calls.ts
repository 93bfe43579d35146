import { AbortWatch } from "../abort-watch.ts";
import type { Call } from "../dispatch/call.ts";
import { encodeInput, refuseTooLarge, sessionIdIn } from "../dispatch/call.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import { KatoError, withOutcome } from "../errors.ts";
import type { CallOptions, ResolvedOptions } from "../options.ts";
import { checkRetries, checkTimeout } from "../options.ts";
import { givingIds } from "./ids.ts";
import type { Settle } from "./open-call.ts";
import { OpenCall } from "./open-call.ts";

export type Asked = { kind: Call["kind"]; path: string; input: unknown; options: CallOptions };

/**
 * Makes the client's calls: gives each its id and its wire form, hands it to the dispatcher, and ends it for its
 * caller at its deadline (TIMEOUT), when its signal aborts or when the client is closed (ABORTED).
 */
export class Calls {
  readonly #options: ResolvedOptions;
  readonly #dispatcher: Dispatcher;
  readonly #withId: (path: string, input: unknown) => unknown;
  readonly #watch = new AbortWatch();
  readonly #open = new Set<OpenCall>();
  #closedBy: KatoError | undefined;

  constructor(options: ResolvedOptions, dispatcher: Dispatcher) {
    this.#options = options;
    this.#dispatcher = dispatcher;
    this.#withId = givingIds(options.platform);
  }

  /** The service's answer; rejects with a KatoError. */
  make(asked: Asked): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onEnd = (call: OpenCall) => void this.#open.delete(call);
      // What it throws rejects the promise.
      this.#make(asked, { resolve, reject, onEnd });
    });
  }

  /** Gives up all calls that are open, and refuses those to come. */
  close(error: KatoError): void {
    this.#closedBy ??= error;
    for (const call of this.#open) call.cut(error);
  }

  /** @throws KatoError INVALID_INPUT, LIMIT_EXCEEDED, ABORTED */
  #make({ kind, path, input: given, options }: Asked, settle: Settle): void {
    const { platform, baseUrl, timeoutMs: usualMs, retries: usualRetries } = this.#options;
    const { signal } = options;
    const timeoutMs = checkTimeout("timeoutMs", options.timeoutMs ?? usualMs);
    const retries = checkRetries(options.retries ?? usualRetries);
    if (this.#closedBy !== undefined) throw withOutcome(this.#closedBy, "no-effect");
    if (signal?.aborted === true) throw withOutcome(aborted(path, signal.reason), "no-effect");
    const input = this.#withId(path, given);
    const { wire, wireSize } = encodeInput(kind, path, input);
    refuseTooLarge({ kind, path, wireSize }, baseUrl.pathname);
    const sessionId = sessionIdIn(input);
    const deadlineAt = platform.now() + timeoutMs;
    const parts = { kind, path, wire, wireSize, sessionId, retries, deadlineAt };
    const call = new OpenCall(parts, settle);
    this.#open.add(call);
    if (signal !== undefined) {
      call.stopWatch = this.#watch.add(signal, (reason) => call.cut(aborted(path, reason)));
    }
    call.stopTimer = platform.after(timeoutMs, () => call.cut(timedOut(path, timeoutMs)));
    call.leave = this.#dispatcher.add(call);
  }
}

function aborted(path: string, reason: unknown): KatoError {
  if (reason instanceof KatoError) return reason;
  return new KatoError("ABORTED", `${path}: aborted by the caller`, { cause: reason });
}

function timedOut(path: string, timeoutMs: number): KatoError {
  return new KatoError("TIMEOUT", `${path}: no answer within ${timeoutMs} ms`);
}
