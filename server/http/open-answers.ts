import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Serving } from "./serving.ts";

/**
 * The answers that connections wait for, in the order of their requests. Kept by connection: a collection that all
 * requests enter and leave would keep the finished ones alive, since each table that a `Map` outgrows points to the next
 * one, and garbage that has grown old keeps what it points to.
 */
export class OpenAnswers {
  readonly #serving: Serving;
  readonly #byConnection = new Map<Socket, ServerResponse[]>();
  /** Those whose requests came before the drain. */
  #accepted: ReadonlySet<ServerResponse> | undefined;

  constructor(server: Server, serving: Serving) {
    this.#serving = serving;
    const forget = (response: ServerResponse) => this.#forget(response);
    // One listener for all: a closure for each request would be more to allocate.
    function onClose(this: ServerResponse) {
      forget(this);
    }
    const arrive = (request: IncomingMessage, response: ServerResponse) => {
      this.#add(request.socket, response);
      response.on("close", onClose);
    };
    // Before the application's own listeners, which may answer at once.
    server.prependListener("request", arrive);
    server.prependListener("checkExpectation", arrive);
  }

  get count(): number {
    return this.#all().length;
  }

  /** Those among them that came before the drain: they are answered properly, the others only refused. */
  get accepted(): number {
    const accepted = this.#accepted;
    return accepted === undefined
      ? this.count
      : this.#all().filter((response) => accepted.has(response)).length;
  }

  /** From now on connections close with their next answer. */
  change(state: "leaving" | "draining"): void {
    this.#serving.state = state;
    if (state === "draining") this.#accepted ??= new Set(this.#all());
    for (const open of this.#byConnection.values()) closeAfterNewest(open);
  }

  /**
   * Runs `next` once every request that arrived whole on the connection is answered: a refusal written past these
   * answers would be taken for the answer to a call that was made.
   */
  afterWhole(socket: Socket, next: () => void): void {
    const whole = this.#byConnection.get(socket)?.findLast(({ req }) => req.complete);
    if (whole === undefined) next();
    else whole.once("close", next);
  }

  #all(): ServerResponse[] {
    return [...this.#byConnection.values()].flat();
  }

  #add(socket: Socket, response: ServerResponse): void {
    let open = this.#byConnection.get(socket);
    if (open === undefined) {
      open = [];
      this.#byConnection.set(socket, open);
      // Nobody waits any more.
      socket.once("close", () => this.#byConnection.delete(socket));
    }
    open.push(response);
    if (this.#serving.state !== "serving") closeAfterNewest(open);
  }

  #forget(response: ServerResponse): void {
    const open = this.#byConnection.get(response.req.socket);
    const place = open?.indexOf(response) ?? -1;
    if (place >= 0) open?.splice(place, 1);
  }
}

/** The newest, for those after it would be lost. */
function closeAfterNewest(open: readonly ServerResponse[]): void {
  const [newest, before] = [open.at(-1), open.at(-2)];
  if (before?.headersSent === false) before.removeHeader("connection");
  if (newest?.headersSent === false) newest.setHeader("connection", "close");
}
