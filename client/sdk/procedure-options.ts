import type { CallContext } from "./procedures.ts";
import type { CallOptions } from "./options.ts";

/** A call's options in the form in which tRPC takes them. */
export function procedureOptions({ signal, timeoutMs, retries }: CallOptions = {}) {
  const context: CallContext = { timeoutMs, retries };
  return { context, ...(signal === undefined ? {} : { signal }) };
}
