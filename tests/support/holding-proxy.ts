import type { Socket } from "node:net";
import type { Relay } from "./relay.ts";
import { openRelay } from "./relay.ts";

/** A way to a server on this machine on which calls can be held up; what is held reaches the server later, in order. */
export type HoldingProxy = Relay & {
  /** From now on nothing that clients send is passed on. */
  hold(): void;
  release(): void;
  /** Bytes that wait. */
  held(): number;
};

export async function openHoldingProxy(to: { port: number }): Promise<HoldingProxy> {
  let waiting: { server: Socket; chunk: Buffer }[] | undefined;
  const relay = await openRelay(to, (chunk, server) => {
    if (waiting === undefined) server.write(chunk);
    else waiting.push({ server, chunk });
  });
  return {
    ...relay,
    hold() {
      waiting ??= [];
    },
    release() {
      const held = waiting ?? [];
      waiting = undefined;
      for (const { server, chunk } of held) server.write(chunk);
    },
    held: () => (waiting ?? []).reduce((sum, { chunk }) => sum + chunk.length, 0),
  };
}
