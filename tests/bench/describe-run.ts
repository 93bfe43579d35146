import { cpus, totalmem } from "node:os";
import { startRedis } from "../support/redis-server.ts";

/** Where and when figures were measured, and by which command. */
export type RunDescription = { machine: string; versions: string; date: string; command: string };

export async function describeRun(
  command: string,
  args: readonly string[],
): Promise<RunDescription> {
  const [cpu] = cpus();
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  await using redis = await startRedis();
  const info = await redis.client().info("server");
  const redisVersion = /redis_version:(\S+)/.exec(info)?.[1] ?? "";
  return {
    machine: `${cpus().length} cores (${cpu?.model.trim() ?? ""}), ${gibibytes} GiB, ${process.platform}`,
    versions: `Node ${process.versions.node}, Redis ${redisVersion}`,
    date: new Date().toISOString().slice(0, 10),
    command: [command, ...(args.length > 0 ? ["--", ...args] : [])].join(" "),
  };
}
