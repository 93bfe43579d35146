import cluster from "node:cluster";
import { ConfigError, readConfig } from "../config.ts";

/** Runs the service: in the primary, keeps the workers; in a worker, serves. */
export async function serve(args: readonly string[]): Promise<void> {
  let config;
  try {
    config = readConfig(args);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`kato: ${error.message}\n`);
    process.exitCode = 1;
    return;
  }
  if (cluster.isPrimary) {
    const { Primary } = await import("../workers/primary.ts");
    new Primary(config).run();
  } else {
    const { runWorker } = await import("../workers/worker.ts");
    await runWorker(config);
  }
}
