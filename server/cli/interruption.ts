import { constants } from "node:os";

/** The person at the terminal, or a supervisor, wanted the command to end. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  /** What a shell expects of a process that ended by that signal. */
  readonly exitCode: number;

  constructor(signal: "SIGINT" | "SIGTERM") {
    super(`interrupted by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/**
 * Lets the first SIGINT or SIGTERM abort `work` and waits for its end; a second one ends the process
 * at once. @throws Interrupted, however `work` ended after that
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const { signal } = controller;
  const interrupt = (name: "SIGINT" | "SIGTERM") => {
    stopListening();
    controller.abort(new Interrupted(name));
  };
  const stopListening = () => {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  try {
    return await work(signal).finally(() => signal.throwIfAborted());
  } finally {
    stopListening();
  }
}
