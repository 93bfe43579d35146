import { randomUUID } from "node:crypto";
import type { KatoClient, KatoOutputs, SessionHandle } from "@kato-rpc/client";
import { createKatoClient } from "@kato-rpc/client";
import { forEachConcurrently } from "../concurrently.ts";
import type { Progress, Step } from "../progress.ts";
import { RETRIES } from "../replay/retries.ts";
import type { Case } from "./read-cases.ts";

export type NextReply = KatoOutputs["session"]["next"];

export type ServiceOptions = {
  url: string;
  signal: AbortSignal;
  openProgress(step: Step): Progress;
};

/** What the service told after the first `length` events of a case, and how long that took. */
export type Answer = { asked: Case; length: number; reply: NextReply; durationMs: number };

export type Questions = {
  /** What the step is called. */
  label: string;
  /** Events before the first question. */
  least: number;
  /** Events listed in an answer. */
  k: number;
  /** Cases under way at once. */
  concurrency: number;
  /** Gets each answer as it comes: those of one case in order. */
  onAnswer(answer: Answer): void;
};

const TIMEOUT_MS = 60_000;
/** Outlives an evaluation that is killed half-way. */
const TTL_SECONDS = 3_600;
/** Sessions that learn at once, each case after case. */
const LEARNERS = 64;
/** Observations in one call: those of usual events stay far below a request's limit. */
const OBSERVATIONS_PER_CALL = 1_000;

/** A new node of the service that learns cases, and tells what comes next in others. */
export class ServiceRun {
  readonly #options: ServiceOptions;
  readonly #client: KatoClient;
  readonly #nodeId = `evaluate-${randomUUID()}`;
  /** Cases of which the service kept but the newest events. */
  readonly cut = new Set<Case>();

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#client = createKatoClient({ url: options.url, timeoutMs: TIMEOUT_MS, retries: RETRIES });
  }

  /** Learns each case as a pattern; gives how many distinct ones they made. A case of one symbol makes none. */
  async learn(cases: readonly Case[]): Promise<number> {
    const left = cases.values();
    const learners = Array.from({ length: Math.min(LEARNERS, cases.length) }, () => left);
    const step = { label: "learning", unit: "cases", total: cases.length };
    await this.#step(step, { items: learners, concurrency: LEARNERS }, (mine, work) =>
      this.#inSession(async (session) => {
        for (const events of mine) {
          const kept = await learnCase(session, events);
          if (kept < events.length) this.cut.add(events);
          work.done();
          if (work.isEnding()) return;
        }
      }),
    );
    return (await this.#client.node.stats({ nodeId: this.#nodeId })).patterns;
  }

  /** Observes each case event by event in a session of its own, and asks what comes next. */
  async predict(
    cases: readonly Case[],
    { label, least, k, concurrency, onAnswer }: Questions,
  ): Promise<void> {
    const items = cases.filter((events) => events.length >= least);
    const step = { label, unit: "cases", total: items.length };
    await this.#step(step, { items, concurrency }, (asked, work) =>
      this.#inSession(async (session) => {
        for (const [i, strings] of asked.entries()) {
          if (work.isEnding()) return;
          const { stmLength } = await session.observe({ strings });
          if (stmLength <= i) this.cut.add(asked);
          if (i + 1 < least) continue;
          const askedAt = performance.now();
          const reply = await session.next({ k });
          onAnswer({ asked, length: i + 1, reply, durationMs: performance.now() - askedAt });
        }
        work.done();
      }),
    );
  }

  /** Forgets everything that was learned for it. */
  async clear(): Promise<void> {
    const { url } = this.#options;
    // Its own client is closed when the evaluation is ended early.
    const client = createKatoClient({ url, timeoutMs: TIMEOUT_MS, retries: RETRIES });
    try {
      await client.node.clear({ nodeId: this.#nodeId });
    } finally {
      await client.close();
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #inSession(work: (session: SessionHandle) => Promise<void>): Promise<void> {
    const nodeId = this.#nodeId;
    const session = await this.#client.session.create({ nodeId, ttlSeconds: TTL_SECONDS });
    await work(session);
    await session.delete();
  }

  /** Does the task for every item, until the first fails or a person ends it. */
  async #step<T>(
    step: Step,
    { items, concurrency }: { items: readonly T[]; concurrency: number },
    task: (item: T, work: Work) => Promise<void>,
  ): Promise<void> {
    const { signal, openProgress } = this.#options;
    signal.throwIfAborted();
    const progress = openProgress(step);
    const failures: unknown[] = [];
    const endNow = () => void this.close();
    signal.addEventListener("abort", endNow);
    try {
      const isEnding = (): boolean => failures.length > 0 || signal.aborted;
      const work: Work = { done: () => progress.add(1), isEnding };
      await forEachConcurrently(items, concurrency, async (item) => {
        if (isEnding()) return;
        await task(item, work).catch((error: unknown) => failures.push(error));
      });
    } finally {
      signal.removeEventListener("abort", endNow);
      progress.end();
    }
    signal.throwIfAborted();
    if (failures.length > 0) throw failures[0];
  }
}

/** Of a step: items that are done are told, and none is begun once another failed or a person ends it. */
type Work = { done(): void; isEnding(): boolean };

/** Gives how many events were kept of it. */
async function learnCase(session: SessionHandle, events: Case): Promise<number> {
  let kept = 0;
  const observations = events.map((strings) => ({ strings }));
  for (let first = 0; first < observations.length; first += OBSERVATIONS_PER_CALL) {
    const end = first + OBSERVATIONS_PER_CALL;
    const { results } = await session.observeSequence({
      observations: observations.slice(first, end),
      learnAtEnd: end >= observations.length,
    });
    kept = results.at(-1)?.stmLength ?? 0;
  }
  return kept;
}
