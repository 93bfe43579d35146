import type { Check } from "./check.ts";
import { fail, ok, unknown, warn } from "./check.ts";
import type { RedisFacts } from "./redis-facts.ts";

const LEAST_REDIS = 7;
const LEAST_VALKEY = 8;
/** Above this the store's distance, not its speed, sets how long a call takes. */
const SLOW_MS = 20;
const CLOCK_TOLERANCE_MS = 1_000;
/** Connections to leave for the machine's keepers, and for a fleet that starts anew beside the old one. */
const SPARE_CONNECTIONS = 32;

const NO_INFO = "the server does not permit INFO";
const PERMIT_INFO = "permit INFO to this user (ACL SETUSER … +info), or check it yourself";

export function checkLatency({ latencyMs }: RedisFacts): Check {
  const found = `answers in ${latencyMs.toFixed(1)} ms`;
  if (latencyMs < SLOW_MS) return ok("reachable", found);
  return warn("reachable", found, "run the service in the same zone as its store");
}

export function checkVersion({ info }: RedisFacts): Check {
  const valkey = info?.get("valkey_version");
  const version = valkey ?? info?.get("redis_version");
  if (version === undefined) {
    return unknown(
      "version",
      NO_INFO,
      `use Redis ${LEAST_REDIS} or Valkey ${LEAST_VALKEY}, or later`,
    );
  }
  const isValkey = valkey !== undefined;
  const name = isValkey ? "Valkey" : "Redis";
  const least = isValkey ? LEAST_VALKEY : LEAST_REDIS;
  const found = `${name} ${version}`;
  if (Number.parseInt(version, 10) >= least) return ok("version", found);
  return fail("version", found, `upgrade to ${name} ${least} or later`);
}

/** A replica takes no writes, and a cluster's node only those of its own slots. */
export function checkRole(
  { info }: RedisFacts,
  topology: "single" | "sentinel" | "cluster",
): Check {
  const role = info?.get("role");
  if (role === undefined) return unknown("role", NO_INFO, PERMIT_INFO);
  if (role !== "master") {
    return fail(
      "role",
      "a replica, which takes no writes",
      "name the master, or use redis+sentinel://",
    );
  }
  if (topology !== "cluster" && info?.get("cluster_enabled") === "1") {
    return fail("role", "one node of a cluster", "use redis+cluster://HOST:PORT,HOST:PORT");
  }
  return ok("role", "master");
}

export function checkEviction({ info }: RedisFacts): Check {
  const policy = info?.get("maxmemory_policy");
  const limit = Number(info?.get("maxmemory"));
  const used = Number(info?.get("used_memory"));
  if (policy === undefined || Number.isNaN(limit)) {
    return unknown("eviction", NO_INFO, "see to it that maxmemory-policy is noeviction");
  }
  const found = `${policy}, ${describeMemory(used, limit)}`;
  if (policy !== "noeviction") {
    const advice = "set maxmemory-policy noeviction: any other drops sessions when memory runs out";
    return limit > 0 ? fail("eviction", found, advice) : warn("eviction", found, advice);
  }
  if (limit > 0 && used >= 0.8 * limit) {
    const advice =
      "raise maxmemory or shorten KATO_SESSION_TTL_SECONDS: at the limit writes are refused";
    return used >= limit ? fail("eviction", found, advice) : warn("eviction", found, advice);
  }
  return ok("eviction", found);
}

export function checkClock({ clockAheadMs }: RedisFacts): Check {
  if (clockAheadMs === undefined) {
    return fail(
      "clock",
      "the server does not permit TIME",
      "permit it: sessions expire by its clock",
    );
  }
  const apart = Math.abs(clockAheadMs);
  if (apart <= CLOCK_TOLERANCE_MS) return ok("clock", "within a second of this machine's");
  const direction = clockAheadMs > 0 ? "ahead of" : "behind";
  return warn(
    "clock",
    `${(apart / 1_000).toFixed(1)} s ${direction} this machine's`,
    "keep the clocks of all machines in step with NTP: sessions expire by the server's",
  );
}

/** Where a command is missing, calls that may need it are refused whole. */
export function checkPermissions({ forbidden }: RedisFacts): Check {
  if (forbidden === undefined) return ok("permissions", "all that the service calls");
  return fail(
    "permissions",
    forbidden,
    "permit it to the user in KATO_STORE: ACL SETUSER … +@all -@dangerous +info +config|get",
  );
}

/** Each worker holds a connection to each server. */
export function checkConnections({ info }: RedisFacts, workers: number): Check {
  const most = Number(info?.get("maxclients"));
  const used = Number(info?.get("connected_clients"));
  const advice = `set maxclients to at least ${used + workers + SPARE_CONNECTIONS}`;
  if (Number.isNaN(most) || Number.isNaN(used)) {
    return unknown("connections", NO_INFO, PERMIT_INFO);
  }
  const found = `${used} of ${most} in use`;
  if (most - used < workers) return fail("connections", found, advice);
  if (most - used < workers + SPARE_CONNECTIONS) return warn("connections", found, advice);
  return ok("connections", found);
}

function describeMemory(used: number, limit: number): string {
  const megabytes = (bytes: number) => `${(bytes / 1_048_576).toFixed(1)} MiB`;
  return limit === 0
    ? `${megabytes(used)} in use, no limit`
    : `${megabytes(used)} of ${megabytes(limit)} in use`;
}
