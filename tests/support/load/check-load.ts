import type { KatoClient } from "@kato-rpc/client";
import { checkAll } from "../history/check-all.ts";
import type { SessionCheckOptions } from "../history/check-sessions.ts";
import type { Finding } from "../history/finding.ts";
import { readNode } from "../history/node-contents.ts";
import { checkNext } from "./check-next.ts";
import type { MixedLoad } from "./mixed-load.ts";

/**
 * Reads the nodes of a load that has ended and checks its whole history, and what comes next by it. The service must be well again, and nothing
 * may still be under way in it.
 */
export async function checkLoad(
  { calls, nodes }: MixedLoad,
  client: KatoClient,
  options: SessionCheckOptions = {},
): Promise<Finding[]> {
  const contents = await Promise.all(nodes.map((nodeId) => readNode(client, nodeId)));
  return [...checkAll(calls, contents, options), ...(await checkNext(calls, contents, client))];
}
