import { once } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { randomFrom } from "../random.ts";
import type { Random } from "./draw.ts";
import { FaultTally } from "./fault-tally.ts";
import type { LaneFaults } from "./lane-faults.ts";
import { NO_FAULTS } from "./lane-faults.ts";
import type { Direction, ReplyCut } from "./proxied-connection.ts";
import { DIRECTIONS, ProxiedConnection } from "./proxied-connection.ts";

const HOST = "127.0.0.1";

export type FaultProxyOptions = {
  /** Of the server on this machine that it leads to. */
  port: number;
  /** For the jitter; 1 when left out. */
  seed?: number;
  /** One of its own when left out. */
  tally?: FaultTally;
};

export type CutOptions = ReplyCut & {
  /** How many replies to cut; 1 when left out. */
  count?: number;
  /**
   * Cuts only what the server sends after bytes that hold this text. Of requests sent without waiting for replies, the
   * reply cut may be that of an earlier one.
   */
  following?: string;
};

/** A way to a server on this machine, free of faults until it is told otherwise. */
export async function openFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  const proxy = new FaultProxy(server, options);
  server.listen(0, HOST);
  await once(server, "listening");
  return proxy;
}

/**
 * A TCP proxy that does to connections what networks do. Of its tally, latency, bandwidth, drop and stall count the
 * directions of connections that met them, the others the connections that they ended.
 */
export class FaultProxy implements AsyncDisposable {
  readonly tally: FaultTally;
  readonly #server: Server;
  readonly #target: number;
  readonly #random: Random;
  readonly #connections = new Set<ProxiedConnection>();
  #faults: Record<Direction, LaneFaults> = { up: NO_FAULTS, down: NO_FAULTS };
  #cut: Required<Pick<CutOptions, "afterBytes" | "count" | "following">> | undefined;

  constructor(server: Server, { port, seed = 1, tally = new FaultTally() }: FaultProxyOptions) {
    this.tally = tally;
    this.#server = server;
    this.#target = port;
    this.#random = randomFrom(seed);
    server.on("connection", (client) => this.#accept(client));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // it listens on a port
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Changes what is named, in both directions unless one is, for open connections and later ones. */
  set({ direction, ...faults }: Partial<LaneFaults> & { direction?: Direction }): void {
    for (const each of direction === undefined ? DIRECTIONS : [direction]) {
      this.#faults[each] = { ...this.#faults[each], ...faults };
      for (const connection of this.#connections) connection.change(each, this.#faults[each]);
    }
    if (faults.drops === false) this.#resetHoled();
  }

  /** Holds all bytes back until `clear`. */
  stall(direction?: Direction): void {
    this.set({ stalls: true, ...(direction === undefined ? {} : { direction }) });
  }

  /** Lifts all faults; a connection of which bytes were dropped is reset, since it cannot go on. */
  clear(): void {
    this.#cut = undefined;
    this.set(NO_FAULTS);
  }

  resetAll(): void {
    for (const connection of this.#connections) {
      this.tally.add("reset");
      connection.reset();
    }
  }

  /** Ends the streams of one direction, while those of the other go on. */
  halfCloseAll(direction: Direction): void {
    for (const connection of this.#connections) {
      this.tally.add("half-close");
      connection.halfClose(direction);
    }
  }

  /** Lets whole requests through to the server, and cuts the connection when its reply begins to come. */
  cutReplies({ afterBytes, count = 1, following = "" }: CutOptions): void {
    this.#cut = { afterBytes, count, following };
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const connection of this.#connections) connection.destroy();
    await once(this.#server, "close");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #accept(client: Socket): void {
    const server = connect({ port: this.#target, host: HOST, allowHalfOpen: true, noDelay: true });
    const connection = new ProxiedConnection({
      client,
      server,
      faults: this.#faults,
      random: this.#random,
      tally: this.tally,
      claimCut: (request) => this.#claimCut(request),
    });
    this.#connections.add(connection);
    for (const socket of [client, server]) {
      socket.on("close", () => {
        if (client.destroyed && server.destroyed) this.#connections.delete(connection);
      });
    }
  }

  #claimCut(request: Buffer): ReplyCut | undefined {
    const cut = this.#cut;
    if (cut === undefined || cut.count === 0 || !request.includes(cut.following)) return undefined;
    cut.count -= 1;
    return cut;
  }

  #resetHoled(): void {
    for (const connection of this.#connections) if (connection.hasHole) connection.reset();
  }
}
