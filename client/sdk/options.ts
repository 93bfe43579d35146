import { LIMITS } from "@kato-rpc/shared/limits.ts";
import { KatoError } from "./errors.ts";
import type { Platform } from "./platform.ts";
import { PLATFORM } from "./platform.ts";

/** What a call may ask for itself; what it leaves out is as the client's options say. */
export type CallOptions = {
  /** Gives the call up: it fails with ABORTED at once, and may or may not have taken effect. */
  signal?: AbortSignal | undefined;
  /** Milliseconds until the call fails with TIMEOUT, all its waiting and attempts included. */
  timeoutMs?: number | undefined;
  /** Attempts after the first; 0 is none. */
  retries?: number | undefined;
};

/** Bounds of one batch; each at most what the service accepts. */
export type BatchLimits = {
  /** Calls in one HTTP request. Default and most: 100; with 1 nothing is batched. */
  maxCalls?: number | undefined;
  /** UTF-8 bytes of the body of a batch of mutations. Default and most: 1,048,576. */
  maxBodyBytes?: number | undefined;
  /** Characters of path and query of a batch of queries. Default and most: 16,000. */
  maxUrlCharacters?: number | undefined;
};

export type Headers = Readonly<Record<string, string>>;

export type KatoClientOptions = {
  /** Where the service is, such as `http://127.0.0.1:8000`; `/trpc` is added to its path. */
  url: string | URL;
  /** Milliseconds a call may take, all its waiting and attempts included. Default 30,000. */
  timeoutMs?: number | undefined;
  /**
   * Milliseconds until an HTTP request without a whole reply is given up and its calls are retried.
   * Default 10,000: longer than the service's own deadline of 5,000, which answers with an error.
   */
  attemptTimeoutMs?: number | undefined;
  /**
   * Attempts after the first when the service is overloaded, draining or without its store, or when
   * the connection fails. Default 8, which outlast 8 s without service: the wait before the nth is
   * drawn from 50·2ⁿ⁻¹ to 100·2ⁿ⁻¹ ms (2,500 to 5,000 at most), on top of what the service asks for. No
   * retry is begun that the call's time does not allow.
   */
  retries?: number | undefined;
  /**
   * HTTP requests under way at once; a batch is one. Default 8. Calls beyond wait in order and are
   * batched meanwhile, so at most `maxConcurrency` times `batch.maxCalls` calls are with the service.
   */
  maxConcurrency?: number | undefined;
  batch?: BatchLimits | undefined;
  /** Sent with every HTTP request; a function is called for each. Default none. */
  headers?: Headers | (() => Headers | Promise<Headers>) | undefined;
  /** Replaces the global `fetch`. */
  fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
  /** Closes the client when it aborts. */
  signal?: AbortSignal | undefined;
};

export type ResolvedOptions = {
  /** Ends in `/trpc/`. */
  baseUrl: URL;
  timeoutMs: number;
  attemptTimeoutMs: number;
  retries: number;
  maxConcurrency: number;
  batch: Required<{ [K in keyof BatchLimits]: number }>;
  headers: () => Headers | Promise<Headers>;
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  platform: Platform;
};

/** Timers take no longer time. */
const MAX_TIMEOUT_MS = 2_147_483_647;
const MAX_RETRIES = 100;

/** @throws KatoError INVALID_INPUT that names the option */
export function resolveOptions(
  options: KatoClientOptions,
  platform: Platform = PLATFORM,
): ResolvedOptions {
  const { batch = {}, headers = {}, fetch } = options;
  return {
    baseUrl: parseUrl(options.url),
    timeoutMs: checkTimeout("timeoutMs", options.timeoutMs ?? 30_000),
    attemptTimeoutMs: checkTimeout("attemptTimeoutMs", options.attemptTimeoutMs ?? 10_000),
    retries: checkRetries(options.retries ?? 8),
    maxConcurrency: whole("maxConcurrency", options.maxConcurrency ?? 8, [1, 10_000]),
    batch: {
      maxCalls: limited("maxCalls", batch.maxCalls, LIMITS.callsPerBatch.max),
      maxBodyBytes: limited("maxBodyBytes", batch.maxBodyBytes, LIMITS.requestBodyBytes.max),
      maxUrlCharacters: limited(
        "maxUrlCharacters",
        batch.maxUrlCharacters,
        LIMITS.urlCharacters.max,
      ),
    },
    headers: typeof headers === "function" ? headers : () => headers,
    // Looked up for each request, and called as the method that some platforms insist on.
    fetch: fetch ?? ((url, init) => globalThis.fetch(url, init)),
    platform,
  };
}

/** @throws KatoError INVALID_INPUT */
export function checkTimeout(name: string, timeoutMs: number): number {
  return whole(name, timeoutMs, [1, MAX_TIMEOUT_MS]);
}

/** @throws KatoError INVALID_INPUT */
export function checkRetries(retries: number): number {
  return whole("retries", retries, [0, MAX_RETRIES]);
}

function limited(name: string, value: number | undefined, max: number): number {
  return whole(`batch.${name}`, value ?? max, [1, max]);
}

function whole(name: string, value: number, [least, most]: [number, number]): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new KatoError(
    "INVALID_INPUT",
    `${name}: expected a whole number from ${least} to ${most}, got ${String(value)}`,
  );
}

function parseUrl(url: string | URL): URL {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (cause) {
    throw new KatoError(
      "INVALID_INPUT",
      "url: expected an absolute URL such as http://127.0.0.1:8000",
      { cause },
    );
  }
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:") {
    throw new KatoError("INVALID_INPUT", `url: expected http: or https:, got ${parsed.protocol}`);
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw new KatoError("INVALID_INPUT", "url: name and password belong in `headers`");
  }
  parsed.search = "";
  parsed.hash = "";
  parsed.pathname = `${parsed.pathname.replace(/\/+$/, "")}/trpc/`;
  return parsed;
}
