import { transformer } from "@kato-rpc/shared/transformer.ts";
import { initTRPC } from "@trpc/server";
import type { Context } from "./context.ts";
import type { KatoErrorShape } from "./error-shape.ts";
import { shapeError, toServiceError } from "./error-shape.ts";

const t = initTRPC.context<Context>().create({
  transformer,
  isServer: true,
  isDev: false,
  errorFormatter: ({ error, path, input, ctx }): KatoErrorShape =>
    shapeError(toServiceError(error, input), { path, requestId: ctx?.call.requestId ?? "" }),
});

export const { router, procedure } = t;
