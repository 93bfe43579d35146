import type { ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";

/**
 * Whether this worker still takes work. `serving`: yes. `leaving`: yes, but every answer asks its
 * client to close the connection, so that the worker can end without dropping a request (recycling).
 * `draining`: no, new calls are told to go elsewhere (shutdown).
 */
export type ServingState = "serving" | "leaving" | "draining";

export class Serving {
  state: ServingState = "serving";

  get isDraining(): boolean {
    return this.state === "draining";
  }

  /** To be called before the head of a response is written. */
  mark(response: ServerResponse): void {
    if (this.state !== "serving") response.setHeader("connection", "close");
  }
}

/** Resolves when no request is being answered any more; `app` may still hold idle connections. */
export function trackRequests(app: FastifyInstance): { count(): number } {
  let running = 0;
  app.server.on("request", (_request, response: ServerResponse) => {
    running += 1;
    response.once("close", () => {
      running -= 1;
    });
  });
  return { count: () => running };
}
