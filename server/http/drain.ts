import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

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
}

/** The requests that a server is answering; sees to it that its connections close once it does not serve. */
export class RunningRequests {
  readonly #serving: Serving;
  readonly #running = new Map<ServerResponse, Socket>();
  /** Per connection, the answer after which it closes: the newest, for those after it would be lost. */
  readonly #last = new Map<Socket, ServerResponse>();
  #accepted = 0;

  constructor(server: Server, serving: Serving) {
    this.#serving = serving;
    // Before the application's own listener, which may answer at once.
    server.prependListener("request", (request: IncomingMessage, response: ServerResponse) =>
      this.#add(request.socket, response),
    );
  }

  get count(): number {
    return this.#running.size;
  }

  /** Those among them that came before the drain: they are answered properly, the others only refused. */
  get accepted(): number {
    return this.#accepted;
  }

  /** From now on connections close with their next answer. */
  change(state: "leaving" | "draining"): void {
    this.#serving.state = state;
    for (const [response, socket] of this.#running) this.#closeAfter(socket, response);
  }

  #add(socket: Socket, response: ServerResponse): void {
    const isAccepted = !this.#serving.isDraining;
    this.#running.set(response, socket);
    if (isAccepted) this.#accepted += 1;
    if (this.#serving.state !== "serving") this.#closeAfter(socket, response);
    response.once("close", () => {
      this.#running.delete(response);
      if (isAccepted) this.#accepted -= 1;
      if (this.#last.get(socket) === response) this.#last.delete(socket);
    });
  }

  #closeAfter(socket: Socket, response: ServerResponse): void {
    const before = this.#last.get(socket);
    if (before?.headersSent === false) before.removeHeader("connection");
    if (!response.headersSent) response.setHeader("connection", "close");
    this.#last.set(socket, response);
  }
}
