import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { waitFor } from "../support/wait-for.ts";

/** A command as Redis ran it: its name, then its arguments. */
export type RecordedCommand = { args: string[]; isScripted: boolean };

/** The commands that Redis runs in the client's database during `work`, those of scripts included. */
export async function recordCommands(
  client: Redis,
  work: () => Promise<unknown>,
): Promise<RecordedCommand[]> {
  const commands: RecordedCommand[] = [];
  const end = randomUUID();
  // The driver takes a command that comes with the start of the monitor for a reply: let this client's own be over.
  await client.ping();
  const monitor = await client.monitor();
  const database = String(client.options.db ?? 0);
  monitor.on("monitor", (_time: string, args: string[], source: string, db: string) => {
    if (db === database) commands.push({ args, isScripted: source === "lua" });
  });
  try {
    await work();
    await client.echo(end);
    await waitFor(() => commands.at(-1)?.args.includes(end), { what: "the end of the recording" });
  } finally {
    monitor.disconnect();
  }
  return commands.slice(0, -1);
}
