import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The top of the repository. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What a program wrote to its standard output; rejects, showing all it wrote, when it fails. */
export async function outputOf(
  command: string,
  args: readonly string[],
  cwd: string = ROOT,
): Promise<string> {
  try {
    const { stdout } = await run(command, args, { cwd, env: environment(), maxBuffer: 1 << 26 });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    const line = [command, ...args].join(" ");
    throw new Error(`${line} failed:\n${stdout ?? ""}${stderr ?? ""}`, { cause: error });
  }
}

/** Without what `npm test` tells its children about this repository: another one is meant. */
function environment(): NodeJS.ProcessEnv {
  const isAbout = /^(npm_package_|npm_lifecycle_|npm_config_(local_prefix|workspace)|INIT_CWD)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isAbout.test(name)));
}

/** The Nodes to run the package on: that of the tests, and the machine's own if it is another from 20 on. */
export async function findNodes(): Promise<{ version: string; path: string }[]> {
  const nodes = [{ version: process.version, path: process.execPath }];
  const directories = (process.env["PATH"] ?? "").split(delimiter);
  for (const directory of directories.filter((path) => !path.includes("node_modules"))) {
    const path = join(directory, "node");
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (!isThere) continue;
    const version = (await outputOf(path, ["--version"])).trim();
    const isRecent = Number(/^v(\d+)/.exec(version)?.[1]) >= 20;
    if (isRecent && version !== process.version) nodes.push({ version, path });
    break;
  }
  return nodes;
}
