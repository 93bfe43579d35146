import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const INSTALL_TIMEOUT_MS = 300_000;

// policy-rc.d is how Debian's packages are told not to start the services they bring.
const INSTALL_SCRIPT = `
set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' HUP INT TERM
  printf '#!/bin/sh\\nexit 101\\n' >"$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends redis-server
`;

/** Names another server to run the tests against, such as Valkey's. */
export const SERVER_VARIABLE = "TEST_REDIS_SERVER";

/**
 * The path of redis-server: the one named in `TEST_REDIS_SERVER`, else from PATH, or else from the distribution's package, installed where that can be done
 * without asking (apt-get, as root or with passwordless sudo). Throws saying what to do when there is none: tests
 * against a real Redis are never skipped.
 */
export async function findRedisServer(): Promise<string> {
  const named = process.env[SERVER_VARIABLE];
  if (named !== undefined && named !== "") return named;
  const installed = await findOnPath("redis-server");
  if (installed !== undefined) return installed;

  await installRedis();
  const added = await findOnPath("redis-server");
  if (added === undefined)
    throw missingRedis("its package was installed, but brought none onto PATH");
  return added;
}

async function installRedis(): Promise<void> {
  if ((await findOnPath("apt-get")) === undefined)
    throw missingRedis("there is no apt-get to install it with");
  const script = ["sh", "-c", INSTALL_SCRIPT];
  const [command = "sh", ...args] = process.getuid?.() === 0 ? script : ["sudo", "-n", ...script];
  try {
    await run(command, args, { timeout: INSTALL_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    throw missingRedis("installing its package failed", error);
  }
}

function missingRedis(reason: string, cause?: unknown): Error {
  const advice =
    "The tests run against a real Redis 7 or later. Install one (Debian, Ubuntu: sudo apt-get install redis-server; " +
    "Fedora: sudo dnf install redis; macOS: brew install redis) so that redis-server is on PATH, and run them again.";
  return new Error(`redis-server was not found on PATH, and ${reason}. ${advice}`, { cause });
}

/** The first executable of that name. */
export async function findOnPath(name: string): Promise<string | undefined> {
  const directories = (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((directory) => directory !== "");
  for (const directory of directories) {
    const path = join(directory, name);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    async () => (await stat(path)).isFile(),
    () => false,
  );
}
