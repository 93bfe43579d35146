import type { FastifyTRPCPluginOptions } from "@trpc/server/adapters/fastify";
import { fastifyTRPCPlugin } from "@trpc/server/adapters/fastify";
import type { TRPCError } from "@trpc/server";
import type { FastifyInstance } from "fastify";
import { fastify } from "fastify";
import { ServiceError } from "@kato-rpc/shared/errors.ts";
import { LIMITS } from "@kato-rpc/shared/limits.ts";
import { transformer } from "@kato-rpc/shared/transformer.ts";
import { z } from "zod";
import type { Context } from "../../server/api/context.ts";
import type { KatoErrorShape } from "../../server/api/error-shape.ts";
import { appRouter } from "../../server/api/router.ts";
import { requestIdOf } from "../../server/http/request-id.ts";
import type { Call } from "../../server/sessions/call.ts";
import { PreparedReply } from "../../server/sessions/prepared-reply.ts";

/**
 * The service's procedures behind tRPC's own Fastify adapter, at `/trpc` as the service's dispatch has them, with its
 * limits but without its admission, metrics and log. `now`: the clock that the services tell deadlines by.
 */
export function createStockHttp(
  services: Omit<Context, "call">,
  { deadlineMs, now }: { deadlineMs: number; now(): number },
): FastifyInstance {
  const http = fastify({
    logger: false,
    bodyLimit: LIMITS.requestBodyBytes.max,
    routerOptions: { maxParamLength: LIMITS.urlCharacters.max },
    http: { maxHeaderSize: LIMITS.headerBytes.max },
  });
  void http.register(fastifyTRPCPlugin, {
    prefix: "/trpc",
    trpcOptions: {
      router: STOCK_ROUTER,
      maxBatchSize: LIMITS.callsPerBatch.max,
      createContext: ({ req }) => ({
        ...services,
        call: callOf(requestIdOf(req.headers), now() + deadlineMs),
      }),
    },
  } satisfies FastifyTRPCPluginOptions<typeof appRouter>);
  return http;
}

/** One for all calls of a request, as the adapter knows but one context for them. */
function callOf(requestId: string, deadlineAt: number): Call {
  return {
    requestId,
    deadlineAt,
    sessionId: undefined,
    nodeId: undefined,
    queued: () => undefined,
    aside: (promise) => promise,
    trace: () => undefined,
  };
}

const { _config: config } = appRouter._def;

/** The router, told of two things that only the service's dispatch knows. */
const STOCK_ROUTER: typeof appRouter = {
  ...appRouter,
  _def: {
    ...appRouter._def,
    _config: {
      ...config,
      transformer: {
        input: transformer,
        output: { ...transformer, serialize: (data) => transformer.serialize(unwritten(data)) },
      },
      // What the adapter refuses by itself: the service's own formatter, which never meets it, would call it a bug.
      errorFormatter: (refused) =>
        isOfAdapter(refused.error)
          ? // Of the service's shape it lacks what only clients of the service read.
            (refused.shape as KatoErrorShape)
          : config.errorFormatter(refused),
    },
  },
};

/** Replies that are text already, which the dispatch sends as they stand; in a stream they lie within lists. */
function unwritten(data: unknown): unknown {
  if (data instanceof PreparedReply) return JSON.parse(data.json) as unknown;
  return Array.isArray(data) ? data.map(unwritten) : data;
}

function isOfAdapter({ code, cause }: TRPCError): boolean {
  const isOfService = cause instanceof ServiceError || cause instanceof z.core.$ZodError;
  return code !== "INTERNAL_SERVER_ERROR" && !isOfService;
}
