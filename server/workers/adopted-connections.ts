import type { Server } from "node:http";
import { Socket } from "node:net";
import type { PrimaryMessage, WorkerMessage } from "./messages.ts";
import { isMessage } from "./messages.ts";

export type AdoptedConnections = {
  count(): number;
  /** Closes those on which nothing was ever sent: to the HTTP server they are not idle but late. */
  closeUnused(): void;
};

/** Serves the connections that the primary sends, on an HTTP server that does not listen itself. */
export function adoptConnections(server: Server): AdoptedConnections {
  const open = new Set<Socket>();
  process.on("message", (message, handle) => {
    if (!isMessage<PrimaryMessage>(message) || message.kind !== "connection") return;
    const socket = handle instanceof Socket ? handle : undefined;
    if (socket !== undefined) {
      open.add(socket);
      socket.once("close", () => open.delete(socket));
    }
    // Read from only once the primary can know: it would give an unconfirmed one to another worker.
    process.send?.({ kind: "taken" } satisfies WorkerMessage, undefined, undefined, () => {
      if (socket !== undefined) serve(server, socket);
    });
  });
  // From here on the server watches over idle and unfinished connections.
  server.emit("listening");
  return {
    count: () => open.size,
    closeUnused() {
      for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
    },
  };
}

function serve(server: Server, socket: Socket): void {
  // As an HTTP server's own: a client that has said all it had to say still gets its answer.
  socket.allowHalfOpen = true;
  server.emit("connection", socket);
}
