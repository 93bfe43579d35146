import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, realpath, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Of the packages of this repository, which must be the revision's own. */
const SCOPE = "@kato-rpc";
const PACKAGES = { shared: "shared", server: "server", client: "client/sdk", tests: "tests" };

/** The sources of a revision, ready to run. */
export type Revision = { name: string; cli: string; [Symbol.asyncDispose](): Promise<void> };

/**
 * A directory that holds the sources is taken as it stands: `.` is the working tree with all that is not committed. Else
 * a commit, branch or tag of this repository, taken out into a temporary directory; it gets the packages installed here.
 */
export async function openRevision(name: string): Promise<Revision> {
  const own = resolve(name);
  if (existsSync(join(own, "server/cli.ts"))) {
    return { name, cli: join(own, "server/cli.ts"), [Symbol.asyncDispose]: async () => undefined };
  }
  const directory = await makeTemporaryDirectory();
  const root = await realpath(directory.path);
  const archive = join(root, "sources.tar");
  const commit = `${name}^{commit}`;
  await run("git", ["-C", ROOT, "archive", "--format=tar", `--output=${archive}`, commit]);
  await run("tar", ["-xf", archive, "-C", root]);
  await linkPackages(root);
  return {
    name,
    cli: join(root, "server/cli.ts"),
    [Symbol.asyncDispose]: () => directory.remove(),
  };
}

async function linkPackages(root: string): Promise<void> {
  const installed = join(ROOT, "node_modules");
  const linked = join(root, "node_modules");
  await mkdir(join(linked, SCOPE), { recursive: true });
  for (const name of await readdir(installed)) {
    if (name !== SCOPE) await symlink(join(installed, name), join(linked, name));
  }
  for (const [name, path] of Object.entries(PACKAGES)) {
    await symlink(join(root, path), join(linked, SCOPE, name));
  }
}
