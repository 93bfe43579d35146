import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** `NODE_OPTIONS` under which every worker, but not the primary, runs `code` before anything else. */
export async function writeWorkerPreload(directory: string, code: string): Promise<string> {
  const file = join(directory, "preload.mjs");
  await writeFile(
    file,
    `import cluster from "node:cluster";\nif (cluster.isWorker) {\n${code}\n}\n`,
  );
  return `--import=${file}`;
}
