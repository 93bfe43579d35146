import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/**
 * The answers that connections wait for. A connection's answers come in the order of its requests:
 * a refusal written past them would be taken for the answer to a call that was made.
 */
export class DueAnswers {
  readonly #due = new WeakMap<Socket, Set<ServerResponse>>();

  constructor(server: Server) {
    server.prependListener("request", (request: IncomingMessage, response: ServerResponse) => {
      const due = this.#due.get(request.socket) ?? new Set();
      this.#due.set(request.socket, due.add(response));
      response.once("close", () => due.delete(response));
    });
  }

  /** Runs `next` once every request that arrived whole on the connection is answered. */
  after(socket: Socket, next: () => void): void {
    const whole = [...(this.#due.get(socket) ?? [])].filter(({ req }) => req.complete);
    const last = whole.at(-1);
    if (last === undefined) next();
    else last.once("close", next);
  }
}
