import type { AnyTRPCProcedure } from "@trpc/server";
import { appRouter } from "./router.ts";

/** At run time flat, by full path; its type is that of the nested routers. */
const procedures = appRouter._def.procedures as unknown as Record<string, AnyTRPCProcedure>;

/** Every procedure by its full path, such as `session.observe`: a query or a mutation. */
export const PROCEDURE_KINDS: ReadonlyMap<string, AnyTRPCProcedure["_def"]["type"]> = new Map(
  Object.entries(procedures).map(([path, { _def }]) => [path, _def.type]),
);

/** Calls that must get through under any load: who asks about an overload must not be refused by it. */
export function isAhead(path: string): boolean {
  return path.startsWith("monitor.");
}
