/** What `CONFIG GET` is asked for: how the append-only log is written. */
export const LOG_SETTINGS = "*append*";

/**
 * Why changes are not known to be on the server's disk; undefined where they are before each reply, or where
 * WAITAOF tells when.
 *
 * @param settings undefined where the server does not permit `CONFIG GET`
 */
export function findDiskObstacle(
  settings: ReadonlyMap<string, string> | undefined,
  { hasWaitAof }: { hasWaitAof: boolean },
): string | undefined {
  if (settings?.get("appendonly") === "no") return "appendonly is no: set appendonly yes";
  const sync = settings?.get("appendfsync");
  if (hasWaitAof) {
    if (sync !== "no") return undefined;
    return "appendfsync is no, so that nothing is ever known to be on disk: set always, or everysec";
  }
  const older = "this Redis is older than 7.2 and has no WAITAOF";
  if (settings === undefined) {
    return `${older}, and does not permit CONFIG GET, which would tell appendfsync`;
  }
  if (sync !== "always") return `${older}, and appendfsync is ${sync}: set always`;
  if (settings.get("no-appendfsync-on-rewrite") === "yes") {
    return `${older}, and no-appendfsync-on-rewrite is yes, so that a rewrite of the log suspends always: set no`;
  }
  return undefined;
}
