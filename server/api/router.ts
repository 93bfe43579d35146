import { concurrencyInputSchema, noInputSchema } from "@kato-rpc/shared/monitor.ts";
import { listNodesInputSchema } from "@kato-rpc/shared/node.ts";
import { sessionRouter } from "./session-router.ts";
import { procedure, router } from "./trpc.ts";

const nodeRouter = router({
  list: procedure
    .input(listNodesInputSchema)
    .query(({ input, ctx }) => ctx.directory.listNodes(input?.cursor, input?.limit)),
});

const monitorRouter = router({
  concurrency: procedure
    .input(concurrencyInputSchema)
    .query(({ input, ctx }) => ctx.monitor.concurrency(input?.scope ?? "fleet")),
  health: procedure.input(noInputSchema).query(({ ctx }) => ctx.monitor.health()),
  stats: procedure.input(noInputSchema).query(({ ctx }) => ctx.monitor.stats()),
});

/** Every procedure of the service. */
export const appRouter = router({
  session: sessionRouter,
  node: nodeRouter,
  monitor: monitorRouter,
});

export type AppRouter = typeof appRouter;
