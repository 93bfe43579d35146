import { findOnPath, SERVER_VARIABLE } from "../support/redis-binary.ts";

/** Points the tests at Valkey. @throws Error when it is not installed: no test is skipped for that */
export async function setup(): Promise<void> {
  const valkey = await findOnPath("valkey-server");
  if (valkey === undefined) {
    throw new Error(
      "valkey-server was not found on PATH: install Valkey 8 or later (Debian: valkey-server; macOS: brew install valkey)",
    );
  }
  process.env[SERVER_VARIABLE] = valkey;
}
