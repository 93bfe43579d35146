import type { FastifyInstance } from "fastify";
import { reasonOf } from "../log.ts";
import type { Serving } from "./serving.ts";

export type PlainRouteParts = {
  serving: Serving;
  pingStore(): Promise<number>;
  /** Prometheus text of all workers of this machine. */
  metrics(): Promise<string>;
  version: string;
};

/** For machines that cannot speak RPC. */
export function mountPlainRoutes(app: FastifyInstance, parts: PlainRouteParts): void {
  app.get("/health", async () => ({ status: "alive", version: parts.version }));

  app.get("/ready", async (_request, reply) => {
    if (parts.serving.isDraining) return reply.code(503).send({ ready: false, reason: "draining" });
    try {
      await parts.pingStore();
      return { ready: true };
    } catch {
      return reply.code(503).send({ ready: false, reason: "the store cannot be reached" });
    }
  });

  app.get("/metrics", async (_request, reply) => {
    let text: string;
    try {
      text = await parts.metrics();
    } catch (error) {
      return reply
        .code(503)
        .type("text/plain")
        .send(`no metrics: ${reasonOf(error)}\n`);
    }
    return reply.type("text/plain; version=0.0.4; charset=utf-8").send(text);
  });
}
