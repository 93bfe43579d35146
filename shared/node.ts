import { z } from "zod";
import { cursorSchema, pageLimitSchema } from "./ids.ts";

export const listNodesInputSchema = z
  .strictObject({ cursor: cursorSchema.optional(), limit: pageLimitSchema.optional() })
  .optional();

/** A node known to the service: one on which a session was created. */
export type NodeSummary = { nodeId: string; activeSessions: number };

/** Ordered by an internal key; `nextCursor` is null on the last page. */
export type NodePage = { items: NodeSummary[]; nextCursor: string | null };
