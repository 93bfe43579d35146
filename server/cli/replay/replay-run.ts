import type { KatoClient, SessionHandle } from "@kato-rpc/client";
import { createKatoClient } from "@kato-rpc/client";
import { forEachConcurrently } from "../concurrently.ts";
import type { Progress, Step } from "../progress.ts";
import { findMismatch } from "./case-check.ts";
import type { LogCase } from "./event-log.ts";
import { LearnedPatterns } from "./learned-patterns.ts";
import type { PrefixPredictions } from "./predict-prefixes.ts";
import { predictPrefixes } from "./predict-prefixes.ts";
import { Problems } from "./problems.ts";
import { RETRIES } from "./retries.ts";

export type ReplayOptions = {
  url: string;
  cases: readonly LogCase[];
  nodeId: string;
  /** Cases under way at once. */
  concurrency: number;
  /** Events of one case that one call carries, at most: with 1 each is an observe of its own. */
  eventsPerCall: number;
  /** Whether each case is learned as a pattern once it was sent and checked. */
  learns: boolean;
  /** Of so many cases, the first ones, what the patterns predict is asked. */
  predicts: number;
  /** Whether the sessions are deleted afterwards. */
  deletes: boolean;
  signal: AbortSignal;
  openProgress(step: Step): Progress;
};

/** Outlives a replay that is killed half-way, so that its sessions go by themselves. */
const TTL_SECONDS = 86_400;
/** Calls of one case under way at once: the client keeps their order. */
const CALLS_AHEAD = 16;
const TIMEOUT_MS = 60_000;
/** What is under way when the replay is ended may still be answered within this: else a session that
 * is just being made would not be known, and not deleted. */
const GRACE_MS = 2_000;

type SentCase = { sent: LogCase; session: SessionHandle };

/** The steps of one replay, and what they have come to. */
export class ReplayRun {
  readonly problems = new Problems();
  /** Observations that the service acknowledged. */
  acknowledged = 0;
  /** Of every session made. */
  readonly sessionIds: string[] = [];
  readonly learned = new LearnedPatterns();
  readonly predictions: PrefixPredictions[] = [];
  readonly #options: ReplayOptions;
  readonly #client: KatoClient;
  readonly #complete: SentCase[] = [];

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#client = createKatoClient({
      url: options.url,
      timeoutMs: TIMEOUT_MS,
      retries: RETRIES,
    });
  }

  /** @throws KatoError when nothing answers at the address */
  async findService(): Promise<void> {
    await this.#client.monitor.health({ retries: 1, signal: this.#options.signal });
  }

  async send(): Promise<void> {
    const { cases } = this.#options;
    const total = cases.reduce((sum, { activities }) => sum + activities.length, 0);
    const step = { label: "sending", unit: "events", total };
    await this.#step(step, cases, async (sent, done) => {
      try {
        await this.#sendCase(sent, done);
      } catch (error) {
        this.#note(sent, error);
      }
    });
  }

  /** Compares what the sessions hold with what was sent to them. */
  async check(): Promise<void> {
    const complete = this.#complete;
    const step = { label: "checking", unit: "sessions", total: complete.length };
    await this.#step(step, complete, async ({ sent, session }, done) => {
      try {
        const mismatch = findMismatch(sent.activities, await session.stm());
        if (mismatch !== undefined) this.problems.addMismatch(sent.caseId, mismatch);
        done(1);
      } catch (error) {
        this.#note(sent, error);
      }
    });
  }

  /** Learns what every session holds as a pattern of the node. */
  async learn(): Promise<void> {
    const step = { label: "learning", unit: "cases", total: this.#complete.length };
    await this.#step(step, this.#complete, async ({ sent, session }, done) => {
      try {
        this.learned.add(await session.learn());
        done(1);
      } catch (error) {
        this.#note(sent, error);
      }
    });
    for (const { pattern, problem } of this.learned.miscounted()) {
      this.problems.addMismatch(pattern, problem);
    }
  }

  /** Asks what the patterns predict after each prefix of the first cases. */
  async predict(): Promise<void> {
    const { cases, predicts, nodeId } = this.#options;
    const asked = cases.slice(0, predicts).map((sent, i) => ({ sent, i }));
    const found: PrefixPredictions[][] = [];
    const step = { label: "predicting", unit: "cases", total: asked.length };
    await this.#step(step, asked, async ({ sent, i }, done) => {
      try {
        found[i] = await predictPrefixes(this.#client, sent, nodeId);
        done(1);
      } catch (error) {
        this.#note(sent, error);
      }
    });
    this.predictions.push(...found.flat());
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #sendCase(sent: LogCase, done: (events: number) => void): Promise<void> {
    const { nodeId } = this.#options;
    const metadata = { case: sent.caseId };
    const session = await this.#client.session.create({
      nodeId,
      metadata,
      ttlSeconds: TTL_SECONDS,
    });
    this.sessionIds.push(session.sessionId);
    const calls = splitInto(sent.activities, this.#options.eventsPerCall);
    for (const ahead of splitInto(calls, CALLS_AHEAD)) {
      if (this.#isOver) return;
      await Promise.all(
        ahead.map(async (activities) => {
          await observeAll(session, activities);
          this.acknowledged += activities.length;
          done(activities.length);
        }),
      );
    }
    this.#complete.push({ sent, session });
  }

  /** Runs a step for every item, until the person or too many failures end it. */
  async #step<T>(
    step: Step,
    items: readonly T[],
    task: (item: T, done: (count: number) => void) => Promise<void>,
  ): Promise<void> {
    const { concurrency, signal, openProgress } = this.#options;
    if (this.#isOver) return;
    const progress = openProgress(step);
    let grace: NodeJS.Timeout | undefined;
    const endSoon = () => {
      grace = setTimeout(() => void this.close(), GRACE_MS);
    };
    signal.addEventListener("abort", endSoon);
    try {
      await forEachConcurrently(items, concurrency, async (item) => {
        if (!this.#isOver) await task(item, progress.add);
      });
    } finally {
      signal.removeEventListener("abort", endSoon);
      clearTimeout(grace);
      progress.end();
    }
  }

  /** By a person's wish, or because too much has failed. */
  get #isOver(): boolean {
    return this.#options.signal.aborted || this.problems.isHopeless;
  }

  /** Calls that were given up on purpose did not fail. */
  #note({ caseId }: LogCase, error: unknown): void {
    if (!this.#options.signal.aborted) this.problems.addFailedCall(caseId, error);
  }
}

/** Each activity as an observation, all of them by one call. */
async function observeAll(session: SessionHandle, activities: readonly string[]): Promise<void> {
  const observations = activities.map((activity) => ({ strings: [activity] }));
  const [only] = observations;
  if (observations.length === 1 && only !== undefined) await session.observe(only);
  else await session.observeSequence({ observations });
}

function splitInto<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}
