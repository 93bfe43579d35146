import type { KatoClient } from "@kato-rpc/client";
import type { NodeStats, NodeSymbol, Pattern } from "@kato-rpc/shared/node.ts";

/** All that the service tells of a node's long-term memory. */
export interface NodeContents {
  readonly nodeId: string;
  readonly stats: NodeStats;
  readonly patterns: readonly Pattern[];
  readonly symbols: readonly NodeSymbol[];
}

/** Page by page: holds together only while nothing is learned. */
export async function readNode({ node }: KatoClient, nodeId: string): Promise<NodeContents> {
  const pages = { nodeId, limit: 200 };
  return {
    nodeId,
    stats: await node.stats({ nodeId }),
    patterns: await readAll((cursor) => node.patterns({ ...pages, ...cursor })),
    symbols: await readAll((cursor) => node.symbols({ ...pages, ...cursor })),
  };
}

async function readAll<Item>(
  readPage: (cursor: { cursor?: string }) => Promise<{ items: Item[]; nextCursor: string | null }>,
): Promise<Item[]> {
  const items: Item[] = [];
  let page = await readPage({});
  items.push(...page.items);
  while (page.nextCursor !== null) {
    page = await readPage({ cursor: page.nextCursor });
    items.push(...page.items);
  }
  return items;
}
