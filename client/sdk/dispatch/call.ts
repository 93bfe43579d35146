import type { CallOutcome } from "@kato-rpc/shared/errors.ts";
import { LIMITS } from "@kato-rpc/shared/limits.ts";
import { transformer } from "@kato-rpc/shared/transformer.ts";
import { KatoError } from "../errors.ts";

/** Whether a call that fails may have taken effect all the same. */
export type CallEffect = {
  /** A request with the call is sent and not answered. */
  isUnderWay: boolean;
  /** An attempt has ended without telling. */
  wasLost: boolean;
};

/** A call on its way: waiting in its lane, in a batch, or answered. */
export type Call = {
  readonly kind: "query" | "mutation";
  readonly path: string;
  /** The input as it stands in a body or, percent-encoded, in a URL; undefined where there is none. */
  readonly wire: string | undefined;
  /** What `wire` takes: UTF-8 bytes of a mutation's body, characters of a query's URL. */
  readonly wireSize: number;
  /** The session that a reply must be for. */
  readonly sessionId: string | undefined;
  readonly retries: number;
  /** By the platform's clock. */
  readonly deadlineAt: number;
  attempts: number;
  readonly effect: CallEffect;
  /** Nobody waits for the answer any more: it was given, or the caller left. */
  isOver: boolean;
  succeed(data: unknown): void;
  fail(error: KatoError): void;
};

export function outcomeOfCall({ isUnderWay, wasLost }: CallEffect): CallOutcome {
  return isUnderWay || wasLost ? "unknown" : "no-effect";
}

const encoder = new TextEncoder();
const BEYOND_ASCII = /[\u0080-\uffff]/;

/** @throws KatoError INVALID_INPUT for an input that has no wire form */
export function encodeInput(
  kind: Call["kind"],
  path: string,
  input: unknown,
): Pick<Call, "wire" | "wireSize"> {
  if (input === undefined) return { wire: undefined, wireSize: 0 };
  let json: string;
  try {
    json = JSON.stringify(transformer.serialize(input));
  } catch (cause) {
    throw new KatoError("INVALID_INPUT", `${path}: the input cannot be written as JSON`, { cause });
  }
  if (kind === "mutation") return { wire: json, wireSize: utf8Size(json) };
  const wire = encodeURIComponent(json);
  return { wire, wireSize: wire.length };
}

/** Plain ASCII, as most inputs are, need not be encoded to be measured. */
function utf8Size(text: string): number {
  return BEYOND_ASCII.test(text) ? encoder.encode(text).length : text.length;
}

export function sessionIdIn(input: unknown): string | undefined {
  const sessionId = (input as { sessionId?: unknown } | null | undefined)?.sessionId;
  return typeof sessionId === "string" ? sessionId : undefined;
}

/** @throws KatoError LIMIT_EXCEEDED for a call that is too large even alone */
export function refuseTooLarge(call: Pick<Call, "kind" | "path" | "wireSize">, pathname: string) {
  const limit = call.kind === "mutation" ? "requestBodyBytes" : "urlCharacters";
  const { max, meaning } = LIMITS[limit];
  const urlSize = `${pathname}${call.path}?input=`.length;
  const size = call.kind === "mutation" ? call.wireSize : urlSize + call.wireSize;
  if (size <= max) return;
  throw new KatoError(
    "LIMIT_EXCEEDED",
    `${call.path}: over a limit: ${size} where there may be at most ${max} ${meaning}`,
    { details: { limit, max } },
  );
}
