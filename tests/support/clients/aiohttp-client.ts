import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { RpcCall, RpcReply } from "./rpc-client.ts";
import { bodyOf, urlOf } from "./rpc-client.ts";

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL("./aiohttp-client.py", import.meta.url));

/** A Python that has aiohttp: the first one on PATH may be another than the distribution's. */
export async function findPythonWithAiohttp(): Promise<string | undefined> {
  for (const python of ["python3", "/usr/bin/python3"]) {
    const found = await run(python, ["-c", "import aiohttp"]).then(
      () => true,
      () => false,
    );
    if (found) return python;
  }
  return undefined;
}

/** One aiohttp request for each call, gathered on one client session. */
export async function callByAiohttp(
  python: string,
  url: string,
  calls: readonly RpcCall[],
): Promise<RpcReply[]> {
  const requests = calls.map((call) => ({ url: urlOf(url, call), body: bodyOf(call) }));
  const { stdout } = await run(python, [SCRIPT, JSON.stringify(requests)]);
  return JSON.parse(stdout) as RpcReply[];
}
