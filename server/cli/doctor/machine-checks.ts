import { availableParallelism } from "node:os";
import type { Config } from "../../config.ts";
import type { Check } from "./check.ts";
import { fail, ok, unknown, warn } from "./check.ts";

/** The oldest Node that runs the sources. */
const LEAST_NODE = [22, 18] as const;

/** Files a worker holds open besides its clients' connections: store, log, sources. */
const FILES_BESIDES_CLIENTS = 64;

export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [leastMajor, leastMinor] = LEAST_NODE;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) {
    return ok("node", `Node ${version}`);
  }
  return fail(
    "node",
    `Node ${version}`,
    `install Node ${leastMajor}.${leastMinor} or later: older ones cannot run the sources`,
  );
}

export function checkCores({ workers }: Config, cores: number = availableParallelism()): Check {
  const found = `${count(cores, "core")} for ${count(workers, "worker")}`;
  if (workers <= cores) return ok("cores", found);
  return warn("cores", found, `set KATO_WORKERS to at most ${cores}, or to auto`);
}

/** Every call that waits may hold a connection of its own. */
export function checkOpenFiles(config: Config, limit: number | undefined): Check {
  const needed = config.limitConcurrency + config.queueLimit + FILES_BESIDES_CLIENTS;
  const advice = `allow at least ${needed} open files per process (ulimit -n, LimitNOFILE= of systemd), or lower KATO_QUEUE_LIMIT`;
  if (limit === undefined) return unknown("open files", "this system tells no limit", advice);
  const found = `${Number.isFinite(limit) ? limit : "any number"} allowed, up to ${needed} needed per worker`;
  return limit >= needed ? ok("open files", found) : warn("open files", found, advice);
}

/** How many files this process may open; undefined where the system does not say. */
export function findOpenFilesLimit(): number | undefined {
  // The report would else ask the name servers for the peer of every connection; the type lacks the switch.
  Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = process.report.getReport() as {
    userLimits?: { open_files?: { soft: number | "unlimited" } };
  };
  const soft = userLimits?.open_files?.soft;
  return soft === "unlimited" ? Infinity : soft;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
