import type { AppRouter } from "@kato-rpc/server/api/router.ts";
import type { inferRouterInputs, inferRouterOutputs } from "@trpc/server";

/** The service's router as a type: every procedure with its input and output. */
export type KatoRouter = AppRouter;

export type KatoInputs = inferRouterInputs<KatoRouter>;
export type KatoOutputs = inferRouterOutputs<KatoRouter>;
