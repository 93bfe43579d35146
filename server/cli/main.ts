import cluster from "node:cluster";
import { VERSION } from "../version.ts";
import { endFailed } from "../workers/failed-start.ts";
import { formatColumns } from "./columns.ts";
import type { Command } from "./command.ts";
import { runCommand } from "./command.ts";
import { Interrupted } from "./interruption.ts";
import type { Output } from "./screen.ts";
import { openScreen } from "./screen.ts";
import { UsageError } from "./usage-error.ts";

/** What `kato --help` says of each command, and where it is: only the one called is loaded. */
const COMMANDS: Readonly<Record<string, { summary: string; load(): Promise<Command> }>> = {
  serve: {
    summary: "run the service",
    load: async () => (await import("./serve.ts")).SERVE,
  },
  replay: {
    summary: "send an event log, one session per case, and check that nothing is lost",
    load: async () => (await import("./replay/replay-command.ts")).REPLAY,
  },
  evaluate: {
    summary:
      "learn a part of an event log or of sequences, and score what comes next in the others",
    load: async () => (await import("./evaluate/evaluate-command.ts")).EVALUATE,
  },
  incident: {
    summary: "send many observations at once and check that each is kept, once and in order",
    load: async () => (await import("./incident/incident-command.ts")).INCIDENT,
  },
  doctor: {
    summary: "check settings, store and machine, and say what to do",
    load: async () => (await import("./doctor/doctor-command.ts")).DOCTOR,
  },
};

/** `kato COMMAND …`: picks the command and sets the exit code. */
export async function main(args: readonly string[]): Promise<void> {
  const screen = openScreen();
  endWithReader(process.stdout);
  const [name, ...rest] = args;
  if (name === "--version") return screen.result.line(VERSION);
  if (name === "--help" || name === "-h") return showHelp(screen.result);
  if (name === undefined) {
    process.exitCode = 2;
    return showHelp(screen.notes);
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    screen.notes.line(`kato: there is no command ${JSON.stringify(name)}; see kato --help`);
    process.exitCode = 2;
    return;
  }
  try {
    process.exitCode = await runCommand(await command.load(), rest, screen);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (cluster.isWorker) return endFailed(message);
    screen.notes.line(`kato ${name}: ${message}`);
    process.exitCode = exitCodeFor(error);
  }
}

function exitCodeFor(error: unknown): number {
  if (error instanceof Interrupted) return error.exitCode;
  return error instanceof UsageError ? 2 : 1;
}

function showHelp(output: Output): void {
  output.line(
    `${output.style("bold", "kato")} ${VERSION}: sessions with short-term memory, by RPC`,
  );
  output.line();
  output.line(output.style("bold", "Commands"));
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) => [`  ${name}`, summary]);
  for (const row of formatColumns(rows)) output.line(row);
  output.line();
  output.line("kato COMMAND --help says more; kato --version tells the release.");
  output.line();
  output.line(output.style("bold", "Examples"));
  output.line("  kato serve --port 8000 --workers 2 --store redis://127.0.0.1:6379");
  output.line("  kato replay events.csv");
  output.line("  kato doctor --store redis://127.0.0.1:6379");
}

/** A reader that has seen enough (`kato … | head`) is no failure. */
function endWithReader(stream: NodeJS.WriteStream): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
}
