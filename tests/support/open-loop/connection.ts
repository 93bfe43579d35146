import type { Socket } from "node:net";
import { connect } from "node:net";

const HEAD_END = Buffer.from("\r\n\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");
/** What the calls of one request are answered fits in. */
const READ_BYTES = 256 * 1_024;

/** `body` is left out, empty, where the status says all: 200 is every call's. */
export type Answered = { status: number; body: string };

/** Of all connections, since what is read is taken before the next is. */
const read = Buffer.allocUnsafeSlow(READ_BYTES);

/**
 * One keep-alive HTTP connection with at most one request on its way, as cheap as can be: the load generator must not
 * be what the service competes with.
 */
export class Connection {
  readonly #socket: Socket;
  /** Of an answer of which a part has come. */
  #received: Buffer | undefined;
  #onAnswer: ((answered: Answered | undefined) => void) | undefined;
  isBroken = false;

  constructor(host: string, port: number) {
    const callback = (size: number) => {
      this.#take(read.subarray(0, size));
      return true;
    };
    this.#socket = connect({ host, port, noDelay: true, onread: { buffer: read, callback } });
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
    const received = this.#received === undefined ? chunk : Buffer.concat([this.#received, chunk]);
    const answered = parseAnswer(received);
    if (answered === undefined) {
      this.#received = Buffer.from(received);
      return;
    }
    // Nothing can follow: the next request is not sent yet.
    this.#received = undefined;
    if (answered.closes) this.isBroken = true;
    this.#answer(answered);
  }

  #answer(answered: Answered | undefined): void {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = undefined;
    onAnswer?.(answered);
  }
}

/** Undefined until all of it has come. */
function parseAnswer(received: Buffer): (Answered & { closes: boolean }) | undefined {
  const headEnd = received.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const head = received.toString("latin1", 0, headEnd);
  const bodyStart = headEnd + HEAD_END.length;
  const bodyEnd = findBodyEnd(received, head, bodyStart);
  if (bodyEnd === undefined) return undefined;
  const status = Number(head.slice(9, 12));
  return {
    status,
    body: status === 200 ? "" : received.toString("utf8", bodyStart, bodyEnd),
    closes: /connection: close/i.test(head),
  };
}

/** A body comes with its length, or in chunks of which the last is empty. */
function findBodyEnd(received: Buffer, head: string, bodyStart: number): number | undefined {
  const [, length] = /content-length: (\d+)/i.exec(head) ?? [];
  const bodyEnd = length === undefined ? received.length : bodyStart + Number(length);
  if (length === undefined && !received.subarray(bodyStart).includes(LAST_CHUNK)) return undefined;
  return received.length < bodyEnd ? undefined : bodyEnd;
}
