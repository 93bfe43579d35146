import type { Logger } from "pino";
import { destination, pino, stdTimeFunctions } from "pino";
import { build as createPrettyStream } from "pino-pretty";
import type { Config } from "./config.ts";

export type { Logger };

/**
 * The process's log on standard output. Only what is passed to it is written: no request, header or
 * payload is ever passed whole. `flush` before the process ends.
 */
export function openLog(config: Pick<Config, "logLevel" | "logFormat">): {
  log: Logger;
  flush(): void;
} {
  const pretty =
    config.logFormat === "pretty" || (config.logFormat === "auto" && process.stdout.isTTY);
  const options = {
    level: config.logLevel,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (pretty) {
    const stream = createPrettyStream({ sync: true, colorize: process.stdout.isTTY });
    return { log: pino(options, stream), flush: () => undefined };
  }
  // Written in blocks: a write for each call would cost more than many a call.
  const stream = destination({ dest: 1, sync: false, minLength: 4_096 });
  const timer = setInterval(() => stream.flush(), 200);
  timer.unref();
  return {
    log: pino(options, stream),
    flush() {
      clearInterval(timer);
      stream.flushSync();
    },
  };
}
