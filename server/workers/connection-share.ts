import type { Worker } from "node:cluster";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:net";
import type { PrimaryMessage } from "./messages.ts";

/** Connections held while no worker is free; those past it are closed. */
const WAITING_CONNECTIONS = 16_384;

/** A worker and the connection it was sent but has not confirmed; it gets no other one before. */
type Taker = { worker: Worker; offered: Socket | undefined; takesMore: boolean };

/**
 * Accepts the connections of all workers and hands each to the worker that has waited longest for one.
 *
 * The cluster module does the same, but forgets a connection sent to a worker that died before it
 * confirmed: its client would wait for ever. And it stops listening when the last worker dies: here
 * connections wait for the next one.
 */
export class ConnectionShare {
  readonly #server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) =>
    this.#accept(socket),
  );
  readonly #takers = new Map<number, Taker>();
  #free: Taker[] = [];
  #waiting: Socket[] = [];

  /** Rejects when the address cannot be listened on. */
  async listen(at: { host: string; port: number; backlog: number }): Promise<AddressInfo> {
    this.#server.listen(at);
    await once(this.#server, "listening");
    return this.#server.address() as AddressInfo; // null only when not listening, a string only for a pipe
  }

  add(worker: Worker): void {
    const taker: Taker = { worker, offered: undefined, takesMore: true };
    this.#takers.set(worker.id, taker);
    this.#free.push(taker);
    this.#offer();
  }

  /** The worker confirmed that it has the connection. */
  taken(worker: Worker): void {
    const taker = this.#takers.get(worker.id);
    if (taker === undefined) return;
    taker.offered?.destroy();
    taker.offered = undefined;
    if (taker.takesMore) this.#free.push(taker);
    this.#offer();
  }

  /** Sends the worker no more connections; what is sent to it after this call arrives after the last one. */
  remove(worker: Worker): void {
    const taker = this.#takers.get(worker.id);
    if (taker === undefined) return;
    taker.takesMore = false;
    this.#free = this.#free.filter((free) => free !== taker);
  }

  /** The worker's channel is closed: what it has not confirmed by now, it never touched. */
  lost(worker: Worker): void {
    const taker = this.#takers.get(worker.id);
    if (taker === undefined) return;
    this.remove(worker);
    this.#takers.delete(worker.id);
    if (taker.offered !== undefined) this.#waiting.unshift(taker.offered);
    this.#offer();
  }

  /** Stops listening and closes the connections that no worker has. */
  close(): void {
    this.#server.close();
    for (const socket of this.#waiting.splice(0)) socket.destroy();
  }

  #accept(socket: Socket): void {
    // A client that resets its connection meanwhile concerns only itself.
    socket.on("error", () => socket.destroy());
    if (this.#waiting.length >= WAITING_CONNECTIONS) {
      socket.destroy();
      return;
    }
    this.#waiting.push(socket);
    this.#offer();
  }

  #offer(): void {
    while (this.#free.length > 0) {
      const socket = this.#waiting.shift();
      if (socket === undefined) return;
      if (socket.destroyed) continue;
      const taker = this.#free.shift() as Taker; // the loop's condition
      taker.offered = socket;
      const message: PrimaryMessage = { kind: "connection" };
      taker.worker.send(message, socket, { keepOpen: true }, () => {
        // A send fails only when the channel is closed, of which `lost` hears.
      });
    }
  }
}
