import { randomInt } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { findRunDirectory } from "./run-directory.ts";

// Ports are drawn here and tried rather than asked of the kernel as port 0. Those come from the range that outgoing
// connections use as well, so while a server is down for a restart a client may be given its port, even the very
// client that tries to reconnect to it. From 11000 on there is none that fetch refuses (10080), and the buses of a
// Redis Cluster stay clear of both the range drawn from and the kernel's.
const FIRST_PORT = 11_000;
const LAST_PORT = 19_999;

/** A Redis Cluster node listens for its peers this far above its port. */
const CLUSTER_BUS_OFFSET = 10_000;

const MAX_DRAWS = 10_000;

/** A loopback port that nothing listens on, its cluster bus port free as well; no other test of this run gets it. */
export async function freePort(): Promise<number> {
  for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if ((await canListen(port)) && (await canListen(port + CLUSTER_BUS_OFFSET)) && claimPort(port))
      return port;
  }
  throw new Error(
    `found no free port between ${FIRST_PORT} and ${LAST_PORT} in ${MAX_DRAWS} draws`,
  );
}

/** `count` different ports, each as by `freePort`. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    if (hasCode(error, "EADDRINUSE") || hasCode(error, "EACCES")) return false;
    throw error;
  }
  server.close();
  await once(server, "close");
  return true;
}

/** Keeps a port for one test of the run, through restarts of its server; false when another has it. */
function claimPort(port: number): boolean {
  const directory = findRunDirectory();
  if (directory === undefined) return true;
  try {
    writeFileSync(join(directory, `port-${port}`), "", { flag: "wx" });
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
