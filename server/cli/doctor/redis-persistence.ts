import type { Check } from "./check.ts";
import { fail, ok, unknown, warn } from "./check.ts";
import type { RedisFacts } from "./redis-facts.ts";

const NAME = "persistence";
const USE_APPEND_LOG =
  "set appendonly yes and appendfsync everysec (or always): else a restart forgets acknowledged observations";

/** Whether what was acknowledged is still there after a restart. */
export function checkPersistence({ info, config }: RedisFacts): Check {
  const isAppending = info?.get("aof_enabled") ?? config?.get("appendonly");
  if (isAppending === undefined) {
    return unknown(NAME, "the server permits neither INFO nor CONFIG GET", USE_APPEND_LOG);
  }
  const problem = findWriteProblem(info);
  if (problem !== undefined) return problem;
  if (isAppending === "1" || isAppending === "yes") return checkAppendLog(config);

  const snapshots = config?.get("save");
  if (snapshots === undefined) {
    return warn(NAME, "no append-only log; unknown whether there are snapshots", USE_APPEND_LOG);
  }
  if (snapshots === "") return warn(NAME, "none: everything is in memory only", USE_APPEND_LOG);
  return warn(NAME, `snapshots only (save ${snapshots})`, USE_APPEND_LOG);
}

function checkAppendLog(config: RedisFacts["config"]): Check {
  const sync = config?.get("appendfsync");
  switch (sync) {
    case undefined:
      return unknown(
        NAME,
        "append-only log, but the server does not permit CONFIG GET appendfsync",
        "see to it that appendfsync is everysec or always",
      );
    case "always":
      return ok(NAME, "append-only log, written to disk before each reply");
    case "everysec":
      return ok(NAME, "append-only log, written to disk every second");
    default:
      return warn(
        NAME,
        `append-only log, appendfsync ${sync}: written to disk when the system likes`,
        "set appendfsync everysec or always",
      );
  }
}

/** A server whose last write to disk failed refuses further changes, or soon loses them. */
function findWriteProblem(info: RedisFacts["info"]): Check | undefined {
  const advice = "look for the reason in the server's own log: most often a full disk";
  if (info?.get("aof_last_write_status") === "err") {
    return fail(NAME, "the last write to the append-only log failed", advice);
  }
  if (info?.get("rdb_last_bgsave_status") === "err") {
    return fail(NAME, "the last snapshot failed", advice);
  }
  return undefined;
}
