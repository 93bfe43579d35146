import type { FastifyInstance } from "fastify";
import type { Serving } from "./drain.ts";

export type PlainRouteParts = {
  serving: Serving;
  pingStore(): Promise<number>;
  /** Prometheus text of all workers of this machine. */
  metrics(): Promise<string>;
  version: string;
};

/** For machines that cannot speak RPC. */
export function mountPlainRoutes(app: FastifyInstance, parts: PlainRouteParts): void {
  app.get("/health", async (_request, reply) => {
    parts.serving.mark(reply.raw);
    return { status: "alive", version: parts.version };
  });

  app.get("/ready", async (_request, reply) => {
    parts.serving.mark(reply.raw);
    if (parts.serving.isDraining) return reply.code(503).send({ ready: false, reason: "draining" });
    try {
      await parts.pingStore();
      return { ready: true };
    } catch {
      return reply.code(503).send({ ready: false, reason: "the store cannot be reached" });
    }
  });

  app.get("/metrics", async (_request, reply) => {
    parts.serving.mark(reply.raw);
    return reply
      .header("content-type", "text/plain; version=0.0.4; charset=utf-8")
      .send(await parts.metrics());
  });
}
