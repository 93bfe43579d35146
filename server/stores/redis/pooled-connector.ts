import type { Socket } from "node:net";
import { createConnection } from "node:net";
import type { RedisOptions } from "ioredis";
import { AbstractConnector } from "ioredis";

/** So much is read at a time at most; longer replies come in parts, as ever. */
const READ_BYTES = 65_536;

/**
 * Connects the driver to one server, without TLS. Left to itself, Node would make an `ArrayBuffer` for each reply that
 * it reads: each collection of garbage would have thousands of them to free, on a thread that keeps Redis from its
 * processor. Here they are read into one buffer, and copied into the pool that Node keeps for small ones.
 */
export class PooledConnector extends AbstractConnector {
  readonly #options: RedisOptions;

  constructor(options: unknown) {
    const given = options as RedisOptions;
    super(given.disconnectTimeout ?? 0);
    this.#options = given;
  }

  /** In the next tick, like the driver's own: a `disconnect` before then leaves nothing open. */
  connect(): Promise<Socket> {
    this.connecting = true;
    const opened = Promise.withResolvers<Socket>();
    process.nextTick(() => {
      try {
        if (!this.connecting) throw new Error("Connection is closed.");
        const socket = openSocket(this.#options);
        this.stream = socket;
        socket.once("error", (error) => {
          this.firstError = error;
        });
        opened.resolve(socket);
      } catch (error) {
        opened.reject(error);
      }
    });
    return opened.promise;
  }
}

function openSocket({ host, port = 6_379, family }: RedisOptions): Socket {
  const socket = createConnection({
    port,
    ...(host === undefined ? {} : { host }),
    ...(family === undefined ? {} : { family }),
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback(size, read) {
        // A copy, as the driver keeps the beginning of a reply until the rest has come.
        socket.emit("data", Buffer.from(read.subarray(0, size)));
        return true;
      },
    },
  });
  return socket;
}
