import cluster from "node:cluster";
import type { Config } from "../config.ts";
import { ConfigError } from "../config.ts";
import type { Command } from "./command.ts";
import { readSettings, SETTINGS_FLAGS } from "./settings-flags.ts";

export const SERVE: Command = {
  name: "serve",
  parameters: [],
  about: `Runs the service until SIGTERM or Ctrl-C, then answers what is under way and ends.
Each setting is a flag or an environment variable; the flag goes first.`,
  flags: SETTINGS_FLAGS,
  examples: [
    "kato serve",
    "kato serve --port 9000 --workers auto --store redis://127.0.0.1:6379",
    "KATO_STORE=sqlite:/var/lib/kato/kato.db kato serve --log-format json",
  ],
  async run({ flags, screen }) {
    let config;
    try {
      config = readSettings(flags);
    } catch (error) {
      // A worker's are for the primary to tell.
      if (!(error instanceof ConfigError) || cluster.isWorker) throw error;
      screen.notes.line(`kato: ${error.message}`);
      return 1;
    }
    await serve(config);
    return 0;
  },
};

/** Runs the service: in the primary, keeps the workers; in a worker, serves. */
async function serve(config: Config): Promise<void> {
  if (cluster.isPrimary) {
    endWithParent();
    const { Primary } = await import("../workers/primary.ts");
    new Primary(config).run();
  } else {
    const { runWorker } = await import("../workers/worker.ts");
    await runWorker(config);
  }
}

/** A service that another process started with a channel to itself does not outlive it. */
function endWithParent(): void {
  if (process.connected) process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
}
