import { randomUUID } from "node:crypto";
import type { CallReply } from "./http-calls.ts";
import { call, dataOf } from "./http-calls.ts";

type Sequence = { time: number; finalLearned: string | null };

/** Calls that were refused, to be repeated with their ids. */
export type Refused = { repeat(): Promise<CallReply<Sequence>>; reply: CallReply<Sequence> };

/**
 * A client of one session that observes and learns in one call, a pattern of its own each time: what was
 * acknowledged, and what was not, can be counted afterwards in short-term and long-term memory alike.
 */
export class RepeatingLearner {
  readonly sessionId: string;
  /** Since the short-term memory is learned away, only the patterns stay. */
  readonly learned: string[] = [];
  readonly #url: string;
  readonly #padding: string;

  private constructor(url: string, sessionId: string, bytes: number) {
    this.#url = url;
    this.sessionId = sessionId;
    this.#padding = "x".repeat(bytes);
  }

  /** Each call writes about `bytes`, several times over. */
  static async start(
    url: string,
    { nodeId, bytes }: { nodeId: string; bytes: number },
  ): Promise<RepeatingLearner> {
    const { sessionId } = await dataOf<{ sessionId: string }>(url, "session.create", {
      input: { nodeId },
    });
    return new RepeatingLearner(url, sessionId, bytes);
  }

  /** Gives the call if it was refused. */
  async learn(): Promise<Refused | undefined> {
    const requestId = randomUUID();
    const observations = ["a", "b"].map((name) => ({
      strings: [`${name} ${requestId} ${this.#padding}`],
    }));
    const input = { sessionId: this.sessionId, observations, learnAtEnd: true, requestId };
    const repeat = async () => {
      const reply = await call<Sequence>(this.#url, "session.observeSequence", { input });
      const name = reply.data?.finalLearned;
      if (typeof name === "string") this.learned.push(name);
      return reply;
    };
    const reply = await repeat();
    return reply.error === undefined ? undefined : { repeat, reply };
  }
}
