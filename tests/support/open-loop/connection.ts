import type { Socket } from "node:net";
import { connect } from "node:net";

const HEAD_END = Buffer.from("\r\n\r\n");

export type Answered = { status: number; body: string };

/**
 * One keep-alive HTTP connection with at most one request on its way, as cheap as can be: the load generator must not
 * be what the service competes with.
 */
export class Connection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #onAnswer: ((answered: Answered | undefined) => void) | undefined;
  isBroken = false;

  constructor(host: string, port: number) {
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on("data", (chunk: Buffer) => this.#take(chunk));
    // "close" follows, and tells the request on its way.
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => {
      this.isBroken = true;
      this.#answer(undefined);
    });
  }

  /** `onAnswer` hears once: the answer, or undefined when the connection broke first. */
  send(request: Buffer, onAnswer: (answered: Answered | undefined) => void): void {
    this.#onAnswer = onAnswer;
    this.#socket.write(request);
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#received.toString("latin1", 0, headEnd);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
    const bodyStart = headEnd + HEAD_END.length;
    if (this.#received.length < bodyStart + length) return;
    const body = this.#received.toString("utf8", bodyStart, bodyStart + length);
    this.#received = this.#received.subarray(bodyStart + length);
    if (/connection: close/i.test(head)) this.isBroken = true;
    this.#answer({ status: Number(head.slice(9, 12)), body });
  }

  #answer(answered: Answered | undefined): void {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = undefined;
    onAnswer?.(answered);
  }
}
