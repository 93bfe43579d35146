import { KatoError } from "../errors.ts";
import type { ResolvedOptions } from "../options.ts";
import { parseRetryAfter } from "../retry-timing.ts";
import type { Batch } from "./batch.ts";
import type { Reply } from "./replies.ts";
import { readReplies } from "./replies.ts";

export type Exchange = {
  options: Pick<ResolvedOptions, "baseUrl" | "headers" | "fetch" | "attemptTimeoutMs" | "platform">;
  /** Sent as `x-request-id`; the replies must carry it. */
  requestId: string;
  /** Ends the request when nobody waits for any of its calls any more. */
  controller: AbortController;
};

/** One HTTP request with all calls of a batch; one reply for each, in their order. Never rejects. */
export async function exchange(batch: Batch, parts: Exchange): Promise<Reply[]> {
  const { options, requestId, controller } = parts;
  const { attemptTimeoutMs } = options;
  let late: KatoError | undefined;
  const stopTimer = options.platform.after(attemptTimeoutMs, () => {
    const message = `no whole reply from ${options.baseUrl.origin} within ${attemptTimeoutMs} ms`;
    late = new KatoError("TIMEOUT", message, { requestId });
    controller.abort(late);
  });
  try {
    return await send(batch, parts);
  } catch (cause) {
    const error = late !== undefined && cause === late ? late : connectionFailed(cause, parts);
    return batch.entries.map(() => ({ error, retryAfterMs: 0 }));
  } finally {
    stopTimer();
  }
}

async function send(batch: Batch, { options, requestId, controller }: Exchange): Promise<Reply[]> {
  const { url, init } = writeRequest(batch, options.baseUrl);
  // The caller's function knows no signal, and may never settle.
  const own = await untilAborted(Promise.resolve(options.headers()), controller.signal);
  const headers = { ...own, ...init.headers, "x-request-id": requestId };
  const response = await options.fetch(url, { ...init, headers, signal: controller.signal });
  const text = await response.text();
  return readReplies(batch, {
    requestId,
    status: response.status,
    retryAfterMs: parseRetryAfter(response.headers.get("retry-after"), Date.now()),
    text,
  });
}

/** As `promise`; rejects with the signal's reason as soon as that is aborted. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

function connectionFailed(cause: unknown, { options, requestId }: Exchange): KatoError {
  return new KatoError(
    "CONNECTION_FAILED",
    `no reply from ${options.baseUrl.origin}: ${describe(cause)}`,
    { requestId, cause, outcome: wasConnected(cause) ? "unknown" : "no-effect" },
  );
}

/** Ways to fail before there is a connection, and so before anything is sent: Node's, and those of its `fetch`. */
const NO_CONNECTION = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Browsers don't say, so there it may have been. */
function wasConnected(thrown: unknown): boolean {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  const code = cause instanceof Error ? (cause as { code?: unknown }).code : undefined;
  return typeof code !== "string" || !NO_CONNECTION.has(code);
}

/** `fetch` says only that it failed; the reason is in its cause. */
function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { cause } = thrown;
  if (!(cause instanceof Error)) return thrown.message;
  const code = (cause as { code?: unknown }).code;
  return `${thrown.message} (${cause.message || String(code)})`;
}

type HttpRequest = {
  url: string;
  init: { method: string; headers: Record<string, string>; body?: string };
};

/** tRPC's wire: names in the path, inputs in `input=` or in the body, keyed by position in a batch. */
function writeRequest({ kind, entries, names }: Batch, baseUrl: URL): HttpRequest {
  const calls = entries.map(({ call }) => call);
  const isBatch = calls.length > 1;
  const url = `${baseUrl.href}${names.join(",")}`;
  if (kind === "mutation") {
    const items = calls.flatMap(({ wire }, i) => (wire === undefined ? [] : `"${i}":${wire}`));
    const body = isBatch ? `{${items.join(",")}}` : calls[0]?.wire;
    return {
      url: isBatch ? `${url}?batch=1` : url,
      init: {
        method: "POST",
        headers: { "content-type": "application/json" },
        ...(body === undefined ? {} : { body }),
      },
    };
  }
  const init = { method: "GET", headers: {} };
  if (!isBatch) {
    const wire = calls[0]?.wire;
    return { url: wire === undefined ? url : `${url}?input=${wire}`, init };
  }
  const items = calls.flatMap(({ wire }, i) => (wire === undefined ? [] : `%22${i}%22%3A${wire}`));
  return { url: `${url}?batch=1&input=%7B${items.join("%2C")}%7D`, init };
}
