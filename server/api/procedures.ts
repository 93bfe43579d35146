import { TRPCError } from "@trpc/server";
import type { z } from "zod";
import type { Context } from "./context.ts";
import { appRouter } from "./router.ts";

/** A procedure of the router, ready to be called. */
export type Procedure = {
  path: string;
  kind: "query" | "mutation";
  /** Validates `input` and does what is asked. @throws TRPCError whose cause is zod's, or what the resolver throws */
  run(ctx: Context, input: unknown): unknown;
};

/** What tRPC keeps of a procedure; at run time flat, by full path. */
type Definition = {
  type: "query" | "mutation";
  inputs: z.ZodType[];
  resolver(options: { ctx: Context; input: unknown }): unknown;
  middlewares: unknown[];
};

/**
 * Every procedure by its full path, such as `session.observe`. Called without tRPC's chain of middlewares, which copies
 * its options several times and awaits each link: more work than most calls are themselves.
 */
export const PROCEDURES: ReadonlyMap<string, Procedure> = new Map(
  Object.entries(appRouter._def.procedures as unknown as Record<string, { _def: Definition }>).map(
    ([path, { _def }]) => [path, toProcedure(path, _def)],
  ),
);

function toProcedure(path: string, { type, inputs, resolver, middlewares }: Definition): Procedure {
  const [schema] = inputs;
  // One link for each input and one for the resolver: another would be left out here.
  if (inputs.length > 1 || middlewares.length !== inputs.length + 1) {
    throw new Error(`${path} has a middleware, which would not be run`);
  }
  if (schema === undefined)
    return { path, kind: type, run: (ctx) => resolver({ ctx, input: undefined }) };
  return {
    path,
    kind: type,
    run(ctx, given) {
      const { success, data, error } = schema.safeParse(given);
      if (!success) throw new TRPCError({ code: "BAD_REQUEST", cause: error });
      return resolver({ ctx, input: data });
    },
  };
}

/** Calls that must get through under any load: who asks about an overload must not be refused by it. */
export function isAhead(path: string): boolean {
  return path.startsWith("monitor.");
}
