import type { Socket } from "node:net";
import type { Random } from "./draw.ts";
import type { FaultTally } from "./fault-tally.ts";
import type { LaneFaults } from "./lane-faults.ts";
import { Lane } from "./lane.ts";

/** Up goes from client to server, down back. */
export const DIRECTIONS = ["up", "down"] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** Cuts the connection once more than `afterBytes` of replies have come, of which the client gets no more than that. */
export type ReplyCut = { afterBytes: number };

export type ConnectionParts = {
  client: Socket;
  server: Socket;
  faults: Record<Direction, LaneFaults>;
  random: Random;
  tally: FaultTally;
  /** Takes the cut that waits for a reply to these bytes, if there is one. */
  claimCut(request: Buffer): ReplyCut | undefined;
};

/** A client's connection and the one to the server that was opened for it. */
export class ProxiedConnection {
  readonly #parts: ConnectionParts;
  readonly #lanes: Record<Direction, Lane>;
  /** The last bytes that went up: what the server replies to. */
  #request: Buffer = Buffer.alloc(0);
  #bytesUntilCut: number | undefined;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    const { client, server, faults, random, tally } = parts;
    const common = { random, met: tally.add.bind(tally) };
    this.#lanes = {
      up: new Lane({
        ...common,
        from: client,
        to: server,
        faults: faults.up,
        forwarded: (bytes) => (this.#request = bytes),
      }),
      down: new Lane({ ...common, from: server, to: client, faults: faults.down }),
    };
    client.on("data", (bytes: Buffer) => this.#lanes.up.take(bytes));
    server.on("data", (bytes: Buffer) => this.#takeReply(bytes));
    this.#follow(client, server, this.#lanes.up);
    this.#follow(server, client, this.#lanes.down);
  }

  /** Whether bytes of it were dropped in either direction, so that it can never work again. */
  get hasHole(): boolean {
    return this.#lanes.up.hasHole || this.#lanes.down.hasHole;
  }

  change(direction: Direction, faults: LaneFaults): void {
    this.#lanes[direction].change(faults);
  }

  halfClose(direction: Direction): void {
    this.#lanes[direction].halfClose();
  }

  /** RST to both ends. */
  reset(): void {
    this.#parts.client.resetAndDestroy();
    this.#parts.server.resetAndDestroy();
  }

  destroy(): void {
    this.#parts.client.destroy();
    this.#parts.server.destroy();
  }

  #takeReply(bytes: Buffer): void {
    this.#bytesUntilCut ??= this.#parts.claimCut(this.#request)?.afterBytes;
    if (this.#bytesUntilCut === undefined) {
      this.#lanes.down.take(bytes);
      return;
    }
    const passing = bytes.subarray(0, this.#bytesUntilCut);
    this.#bytesUntilCut -= passing.length;
    if (passing.length < bytes.length) this.#cut(passing);
    else this.#lanes.down.take(passing);
  }

  #cut(passing: Buffer): void {
    this.#parts.tally.add("cut reply");
    const { client, server } = this.#parts;
    // A reset would throw away what the client has not read yet.
    if (passing.length === 0) client.resetAndDestroy();
    else this.#lanes.down.take(passing);
    server.destroy();
  }

  /** One end that is gone takes the other with it, in the same way, unless the news of that is lost too. */
  #follow(socket: Socket, other: Socket, lane: Lane): void {
    // "close" comes next, and says so.
    socket.on("error", () => {});
    socket.on("close", (hadError) => {
      if (this.hasHole) return;
      if (hadError) other.resetAndDestroy();
      else lane.halfClose();
    });
  }
}
