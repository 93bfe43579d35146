import { constants } from "node:fs";
import { access, stat, statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Config } from "../../config.ts";
import type { Durability } from "../../stores/durability.ts";
import { sqliteDurability } from "../../stores/sqlite/sqlite-durability.ts";
import type { Check } from "./check.ts";
import { fail, ok, warn } from "./check.ts";
import { checkSqliteFile } from "./check-sqlite-file.ts";

const GIBIBYTE = 1_073_741_824;
/** Below the first it is time to act, below the second writes may fail at any moment. */
const FREE = { enough: GIBIBYTE, least: GIBIBYTE / 16 };

/** `f_type` of Linux for file systems over a network (statfs(2)), where WAL does not work. */
const NETWORK_FILE_SYSTEMS = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xfe534d42, "SMB"],
  [0xff534d42, "CIFS"],
]);

/** Everything about a SQLite file, there or still to be made, that the service depends on. Leaves no trace. */
export async function checkSqlite(path: string, config: Config): Promise<Check[]> {
  const version = ok("version", `SQLite ${process.versions["sqlite"] ?? "of this Node"}`);
  if (path === ":memory:") return [version, checkMemory(config)];
  const file = resolve(path);
  const exists = await isThere(file);
  if (exists && !(await stat(file)).isFile()) {
    return [version, fail("file", `${file} is no file`, "name a file in KATO_STORE")];
  }
  const directory = await nearestDirectory(file);
  const writable = await checkWritable(exists ? [file, directory] : [directory]);
  const checks = [
    version,
    ok("file", exists ? `${file} is there` : `${file} will be made`),
    writable,
    ...(await checkDisk(directory)),
    judgeDurability(config.durability),
  ];
  if (exists && writable.status === "ok")
    checks.push(...(await checkSqliteFile(file, config.durability)));
  return checks;
}

function judgeDurability(durability: Durability): Check {
  const { setting, window } = sqliteDurability(durability).state;
  return ok("durability", `${setting}: ${window}`);
}

function checkMemory({ workers }: Config): Check {
  const found = "in memory only";
  if (workers > 1) {
    return fail("file", `${found}, one for each worker`, "use sqlite:PATH: workers share a file");
  }
  return warn("file", `${found}: a restart forgets everything`, "use sqlite:PATH");
}

/** The log and the shared memory of WAL stand beside the file: its directory must be writable too. */
async function checkWritable(paths: readonly string[]): Promise<Check> {
  for (const path of paths) {
    try {
      await access(path, constants.R_OK | constants.W_OK);
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      const advice =
        "give this user the right to write there, or choose another path in KATO_STORE";
      return fail("writable", `${path} is not (${code})`, advice);
    }
  }
  const [directory = ""] = paths.slice(-1);
  if (!(await stat(directory)).isDirectory()) {
    return fail("writable", `${directory} is no directory`, "choose another path in KATO_STORE");
  }
  return ok("writable", directory);
}

async function checkDisk(directory: string): Promise<Check[]> {
  const { bavail, bsize, type } = await statfs(directory);
  const network = NETWORK_FILE_SYSTEMS.get(type);
  const advice = "use a disk of this machine, or Redis: SQLite's log does not work over a network";
  return [
    ...(network === undefined ? [] : [fail("file system", network, advice)]),
    checkFreeBytes(bavail * bsize),
  ];
}

export function checkFreeBytes(bytes: number): Check {
  const found = `${(bytes / GIBIBYTE).toFixed(1)} GiB free`;
  const advice = "free space on this disk, or choose another path in KATO_STORE";
  if (bytes < FREE.least) return fail("disk", found, advice);
  return bytes < FREE.enough ? warn("disk", found, advice) : ok("disk", found);
}

/** The first ancestor of a path that exists; the service makes those between. */
async function nearestDirectory(path: string): Promise<string> {
  const parent = dirname(path);
  return parent === path || (await isThere(parent)) ? parent : nearestDirectory(parent);
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      // A path through a file ("/etc/passwd/kato.db"): its nearest ancestor tells.
      if (error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "EACCES")
        return false;
      throw error;
    },
  );
}
