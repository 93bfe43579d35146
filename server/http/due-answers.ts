import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

type Newest = { last: ServerResponse; before?: ServerResponse };

/**
 * The answers that connections wait for. A connection's answers come in the order of its requests:
 * a refusal written past them would be taken for the answer to a call that was made.
 */
export class DueAnswers {
  /** A connection's newest response and the one before it: only the newest request may not have come whole. */
  readonly #newest = new WeakMap<Socket, Newest>();

  constructor(server: Server) {
    server.prependListener("request", (request: IncomingMessage, response: ServerResponse) => {
      const newest = this.#newest.get(request.socket);
      if (newest === undefined) this.#newest.set(request.socket, { last: response });
      else {
        newest.before = newest.last;
        newest.last = response;
      }
    });
  }

  /** Runs `next` once every request that arrived whole on the connection is answered. */
  after(socket: Socket, next: () => void): void {
    const { last, before } = this.#newest.get(socket) ?? {};
    const whole = last?.req.complete === true ? last : before;
    if (whole === undefined || whole.closed) next();
    else whole.once("close", next);
  }
}
