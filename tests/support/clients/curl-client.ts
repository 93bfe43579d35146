import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { RpcBody, RpcCall, RpcReply } from "./rpc-client.ts";
import { bodyOf, urlOf } from "./rpc-client.ts";

const run = promisify(execFile);

/** One curl process for each call, all at once. */
export function callByCurl(url: string, calls: readonly RpcCall[]): Promise<RpcReply[]> {
  return Promise.all(
    calls.map(async (call) => {
      const { stdout } = await run("curl", [
        "--silent",
        "--show-error",
        "--write-out",
        "\n%{http_code}",
        "--header",
        "content-type: application/json",
        "--data-binary",
        bodyOf(call),
        urlOf(url, call),
      ]);
      const end = stdout.lastIndexOf("\n");
      const body = JSON.parse(stdout.slice(0, end)) as RpcBody;
      return { status: Number(stdout.slice(end + 1)), body };
    }),
  );
}

export function findCurl(): Promise<boolean> {
  return run("curl", ["--version"]).then(
    () => true,
    () => false,
  );
}
