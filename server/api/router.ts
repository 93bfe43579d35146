import { concurrencyInputSchema, noInputSchema } from "@kato-rpc/shared/monitor.ts";
import { nodeRouter } from "./node-router.ts";
import { sessionRouter } from "./session-router.ts";
import { procedure, router } from "./trpc.ts";

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
