import { randomUUID } from "node:crypto";
import type { CallReply } from "./http-calls.ts";
import { expect } from "vitest";
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
  readonly nodeId: string;
  /** Since the short-term memory is learned away, only the patterns stay. */
  readonly learned: string[] = [];
  readonly #url: string;
  readonly #padding: string;

  private constructor(url: string, of: { sessionId: string; nodeId: string; bytes: number }) {
    this.#url = url;
    this.sessionId = of.sessionId;
    this.nodeId = of.nodeId;
    this.#padding = "x".repeat(of.bytes);
  }

  /** Each call writes about `bytes`, several times over. */
  static async start(
    url: string,
    { nodeId, bytes }: { nodeId: string; bytes: number },
  ): Promise<RepeatingLearner> {
    const { sessionId } = await dataOf<{ sessionId: string }>(url, "session.create", {
      input: { nodeId },
    });
    return new RepeatingLearner(url, { sessionId, nodeId, bytes });
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

/** Gives of each learner the call that was refused first. */
export async function learnUntilRefused(learners: readonly RepeatingLearner[]): Promise<Refused[]> {
  return Promise.all(
    learners.map(async (learner) => {
      for (;;) {
        const refused = await learner.learn();
        if (refused !== undefined) return refused;
      }
    }),
  );
}

/** What was acknowledged is there, and nothing else: neither half of a refused call. The node is these learners' alone. */
export async function expectWhole(
  url: string,
  learners: readonly RepeatingLearner[],
): Promise<void> {
  const learned = learners.flatMap((learner) => learner.learned);
  const stats = await dataOf(url, "node.stats", { input: { nodeId: learners[0]!.nodeId } });
  expect(stats).toMatchObject({
    patterns: learned.length,
    frequencies: learned.length,
    symbols: 2 * learned.length,
    symbolOccurrences: 2 * learned.length,
  });
  expect(new Set(learned).size).toBe(learned.length);
  for (const { sessionId } of learners) {
    const input = { sessionId };
    expect(await dataOf(url, "session.stm", { input })).toMatchObject({ length: 0 });
    expect(await dataOf(url, "session.get", { input })).toMatchObject({ stmLength: 0 });
  }
}
