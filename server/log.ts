import { createRequire } from "node:module";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { destination, pino, stdTimeFunctions } from "pino";
import type * as PinoPretty from "pino-pretty";
import type { Config } from "./config.ts";

export type { Logger };

/**
 * Bytes of a write to the log. All workers write to one pipe, and only writes of at most so many
 * (PIPE_BUF) are sure not to be torn apart by another's.
 */
const WRITE_BYTES = 4_096;

/** Bytes held for a log that nobody reads; what comes after is lost, rather than the process. */
const MAX_HELD_BYTES = 16 * 1_024 * 1_024;

/** Long enough to join many lines in a write, short enough to follow the log. */
const FLUSH_INTERVAL_MS = 200;

/** How long the end of a process waits for its log to be read. */
const CLOSE_MS = 1_000;

export type OpenLog = {
  log: Logger;
  /** Writes what is held back, soon. */
  flush(): void;
  /** Writes all; to be awaited before the process ends. */
  close(): Promise<void>;
};

/**
 * The process's log on standard output. Only what is passed to it is written: no request, header or
 * payload is ever passed whole.
 */
export function openLog(config: Pick<Config, "logLevel" | "logFormat">): OpenLog {
  const pretty =
    config.logFormat === "pretty" || (config.logFormat === "auto" && process.stdout.isTTY);
  const options = {
    level: config.logLevel,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describeError },
  };
  if (pretty) {
    // Loaded only here: servers mostly log JSON, and start sooner without it.
    const { build } = createRequire(import.meta.url)("pino-pretty") as typeof PinoPretty;
    const stream = build({
      sync: true,
      colorize: process.stdout.isTTY,
      singleLine: true,
      translateTime: "SYS:HH:MM:ss.l",
    });
    return { log: pino(options, stream), flush: () => undefined, close: async () => undefined };
  }
  // Written in blocks: a write for each call would cost more than many a call.
  const stream = destination({
    dest: 1,
    sync: false,
    maxWrite: WRITE_BYTES,
    minLength: WRITE_BYTES - 1_024,
    maxLength: MAX_HELD_BYTES,
    periodicFlush: FLUSH_INTERVAL_MS,
  });
  return {
    log: pino(options, stream),
    flush: () => stream.flush(),
    async close() {
      // A write that is under way would die with the process: only after it the rest can be written.
      const drained = new Promise((resolve) => stream.once("drain", () => resolve(true)));
      stream.flush();
      if (await Promise.race([drained, delay(CLOSE_MS, false, { ref: false })])) stream.flushSync();
    },
  };
}

/** Why something failed, in a line. */
export function reasonOf(error: unknown): string {
  // Of a host with several addresses, each attempt fails by itself, and the whole says nothing.
  if (error instanceof AggregateError && error.message === "") {
    return error.errors.map(reasonOf).join("; ");
  }
  if (!(error instanceof Error)) return String(error);
  return error.message === "" ? error.name : error.message;
}

/** Causes beneath one another that are told. */
const CAUSES_TOLD = 5;

type ErrorDescription = { type: string; message: string; stack: string };

/**
 * What the log holds of an error, the newest first and then its causes: what it says of itself and
 * where it came from. Never its other fields: a failed command of a store driver, for one, carries
 * all its arguments there.
 */
function describeError(thrown: unknown): ErrorDescription & { causes?: ErrorDescription[] } {
  const errors = withCauses(thrown);
  // A parser's message repeats a part of the text, and those who pass the error on repeat the message.
  const isSecret = errors.some((error) => error instanceof SyntaxError);
  const [first = NO_ERROR, ...causes] = errors.map((error) => ({
    type: error.name,
    message: isSecret ? "a text could not be parsed" : reasonOf(error),
    stack: framesOf(error),
  }));
  return causes.length === 0 ? first : { ...first, causes };
}

const NO_ERROR: ErrorDescription = { type: "unknown", message: "not an error", stack: "" };

function withCauses(thrown: unknown): Error[] {
  const errors: Error[] = [];
  for (let error = thrown; error instanceof Error && errors.length <= CAUSES_TOLD;) {
    errors.push(error);
    error = error.cause;
  }
  return errors;
}

/** The lines of the stack that name places; those before them repeat the message. */
function framesOf({ stack = "" }: Error): string {
  return stack
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .join("\n");
}
