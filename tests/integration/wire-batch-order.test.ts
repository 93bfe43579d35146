import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Service } from "../support/service.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";
import { startTestApp } from "../support/test-app.ts";
import type { WireItem } from "../support/wire.ts";
import { batch, call, dataOf, errorOf } from "../support/wire.ts";

type Observation = { strings: string[]; observationId?: string | undefined };

/** One call on one of the sessions of a batch. */
type Step = { session: number } & (
  | ({ do: "observe" } & Observation)
  | { do: "observeSequence"; observations: Observation[]; clearStmBetween: boolean }
  | { do: "clearStm" | "extend" | "delete" }
  | { do: "configure"; sortSymbols: boolean | null }
);

/** What a step on a session is answered, in the parts that tell the order. */
type Outcome =
  | "SESSION_NOT_FOUND"
  | "INVALID_INPUT"
  | { times: number[]; lengths: number[]; replayed: boolean[] }
  | { cleared: true }
  | { ttlSeconds: number }
  | { deleted: boolean }
  | { sortSymbols: boolean };

/** A session that does one step after another: what a batch must amount to. */
class SequentialSession {
  stm: string[][] = [];
  time = 0;
  isDeleted = false;
  #sortSymbols = true;
  readonly #seen = new Map<string, { content: string; time: number; length: number }>();

  do(step: Step): Outcome {
    if (step.do === "delete") {
      const deleted = !this.isDeleted;
      this.isDeleted = true;
      return { deleted };
    }
    if (this.isDeleted) return "SESSION_NOT_FOUND";
    switch (step.do) {
      case "observe":
        return this.#observeAll([step], false);
      case "observeSequence":
        return this.#observeAll(step.observations, step.clearStmBetween);
      case "clearStm":
        this.stm = [];
        this.time = 0;
        return { cleared: true };
      case "configure":
        this.#sortSymbols = step.sortSymbols ?? true;
        return { sortSymbols: this.#sortSymbols };
      case "extend":
        return { ttlSeconds: 3600 };
    }
  }

  #observeAll(observations: readonly Observation[], clearStmBetween: boolean): Outcome {
    if (this.#givesAnIdAgain(observations)) return "INVALID_INPUT";
    const results = observations.map((observation, i) => {
      if (clearStmBetween && i > 0) this.stm = [];
      return this.#observe(observation);
    });
    return {
      times: results.map(({ time }) => time),
      lengths: results.map(({ length }) => length),
      replayed: results.map(({ replayed }) => replayed),
    };
  }

  /** For other content than the first time, in a call before or in this one. */
  #givesAnIdAgain(observations: readonly Observation[]): boolean {
    const contents = new Map(Array.from(this.#seen, ([id, { content }]) => [id, content]));
    return observations.some(({ strings, observationId }) => {
      if (observationId === undefined) return false;
      const content = strings.join();
      const isOther = (contents.get(observationId) ?? content) !== content;
      contents.set(observationId, content);
      return isOther;
    });
  }

  #observe({ strings, observationId }: Observation) {
    const first = observationId === undefined ? undefined : this.#seen.get(observationId);
    if (first !== undefined) return { time: first.time, length: first.length, replayed: true };
    if (strings.length > 0) this.stm.push(this.#sortSymbols ? strings.toSorted() : strings);
    this.time += 1;
    const result = { time: this.time, length: this.stm.length };
    if (observationId !== undefined) {
      this.#seen.set(observationId, { ...result, content: strings.join() });
    }
    return { ...result, replayed: false };
  }
}

const SESSIONS = 3;

const observation = fc.record(
  {
    strings: fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 3 }),
    observationId: fc.constantFrom("id-1", "id-2", "id-3"),
  },
  { requiredKeys: ["strings"] },
);
const session = fc.nat(SESSIONS - 1);
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(session, observation)
        .map(([s, o]): Step => ({ session: s, do: "observe", ...o })),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        session,
        do: fc.constant("observeSequence" as const),
        observations: fc.array(observation, { maxLength: 3 }),
        clearStmBetween: fc.boolean(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        session,
        do: fc.constantFrom("clearStm" as const, "extend" as const),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        session,
        do: fc.constant("configure" as const),
        sortSymbols: fc.constantFrom(true, false, null),
      }),
    },
    { weight: 1, arbitrary: fc.record({ session, do: fc.constant("delete" as const) }) },
  ),
  { minLength: 2, maxLength: 40 },
);

describe.each(STORE_KINDS)("the calls of a batch on one session, on %s", (kind) => {
  let service: Service;
  let stack: AsyncDisposableStack;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    const store = stack.use(await openTestStore(kind));
    service = stack.use(await startService({ store: store.url }));
  });
  afterAll(() => stack.disposeAsync());

  it("take effect in the order of the batch", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (steps) => {
        const sessionIds = await createSessions(service.url);
        const models = sessionIds.map(() => new SequentialSession());
        const expected = steps.map((step) => models[step.session]!.do(step));

        const { items } = await batch(
          service.url,
          "mutation",
          steps.map((step) => callOf(step, sessionIds[step.session]!)),
        );

        expect(items.map((item, i) => outcomeOf(steps[i]!, item))).toEqual(expected);
        for (const [i, model] of models.entries()) {
          if (model.isDeleted) continue;
          const sessionId = sessionIds[i]!;
          expect(await call(service.url, "session.stm", { sessionId })).toEqual({
            sessionId,
            stm: model.stm,
            length: model.stm.length,
            time: model.time,
          });
        }
      }),
      { numRuns: 60 },
    );
  });

  it("keep their order when one of them is refused", async () => {
    const [sessionId] = await createSessions(service.url);
    const observe = (input: object) => ({
      path: "session.observe",
      input: { sessionId, ...input },
    });

    const { items } = await batch(service.url, "mutation", [
      observe({ strings: ["a"] }),
      observe({ strings: 1 }),
      observe({ strings: ["b"], expectedTime: 7 }),
      observe({ strings: ["c"], expectedTime: 1 }),
      observe({ vectors: [[1], [1, 2]] }),
      { path: "session.nothing", input: { sessionId } },
      observe({ strings: ["d"], expectedTime: 2 }),
    ]);

    expect(
      items.map((item) => item.error?.json.data.kato ?? dataOf<{ time: number }>(item).time),
    ).toEqual([
      1,
      "INVALID_INPUT",
      "TIME_CONFLICT",
      2,
      "VECTOR_DIMENSION_MISMATCH",
      "PROCEDURE_NOT_FOUND",
      3,
    ]);
  });

  it("read after one another in a batch of queries", async () => {
    const [sessionId] = await createSessions(service.url);
    await call(service.url, "session.observe", { sessionId, strings: ["a"] });

    const { items } = await batch(
      service.url,
      "query",
      ["stm", "get", "percept", "exists", "stm"].map((name) => ({
        path: `session.${name}`,
        input: { sessionId },
      })),
    );

    expect(items.map((item) => dataOf(item))).toMatchObject([
      { stm: [["a"]] },
      { time: 1, stmLength: 1 },
      { strings: ["a"] },
      { exists: true },
      { stm: [["a"]] },
    ]);
  });
});

async function createSessions(url: string): Promise<string[]> {
  const { items } = await batch(
    url,
    "mutation",
    Array.from({ length: SESSIONS }, () => ({ path: "session.create", input: { nodeId: "n" } })),
  );
  return items.map((item) => dataOf<{ sessionId: string }>(item).sessionId);
}

function callOf(step: Step, sessionId: string) {
  const { session: _session, do: name, ...fields } = step;
  const input =
    "sortSymbols" in fields ? { config: { sortSymbols: fields.sortSymbols } } : { ...fields };
  return { path: `session.${name}`, input: { sessionId, ...input } };
}

type Observed = { time: number; stmLength: number; replayed: boolean };

function outcomeOf(step: Step, item: WireItem): Outcome {
  if (item.error !== undefined) return errorOf(item).data.kato as "SESSION_NOT_FOUND";
  switch (step.do) {
    case "observe":
    case "observeSequence": {
      const data = dataOf<Observed | { results: Observed[] }>(item);
      const results = "results" in data ? data.results : [data];
      return {
        times: results.map(({ time }) => time),
        lengths: results.map(({ stmLength }) => stmLength),
        replayed: results.map(({ replayed }) => replayed),
      };
    }
    case "configure":
      return { sortSymbols: dataOf<{ config: { sortSymbols: boolean } }>(item).config.sortSymbols };
    case "extend":
      return { ttlSeconds: dataOf<{ ttlSeconds: number }>(item).ttlSeconds };
    case "clearStm":
    case "delete":
      return dataOf(item);
  }
}

describe("the calls of a batch on different sessions", () => {
  const SIZE = 20;

  it("run at the same time", async () => {
    let arrived = 0;
    const all = Promise.withResolvers<void>();
    await using app = await startTestApp({
      overrides: (store) => ({
        async commit(commit) {
          arrived += 1;
          if (arrived === SIZE) all.resolve();
          // One after another, the first would wait for ever.
          await all.promise;
          return store.commit(commit);
        },
      }),
    });
    const created = await batch(
      app.url,
      "mutation",
      Array.from({ length: SIZE }, () => ({ path: "session.create", input: { nodeId: "n" } })),
    );

    const observed = await batch(
      app.url,
      "mutation",
      created.items.map((item) => ({
        path: "session.observe",
        input: { sessionId: dataOf<{ sessionId: string }>(item).sessionId, strings: ["a"] },
      })),
    );

    expect(observed.items.map((item) => dataOf<{ time: number }>(item).time)).toEqual(
      Array.from({ length: SIZE }, () => 1),
    );
  });

  it("do not wait for a slow session between them", async () => {
    const slow = Promise.withResolvers<void>();
    const committed: string[] = [];
    let slowId = "";
    await using app = await startTestApp({
      overrides: (store) => ({
        async commit(commit) {
          if (commit.sessionId === slowId) await slow.promise;
          const result = await store.commit(commit);
          committed.push(commit.sessionId);
          if (committed.length === 2) slow.resolve();
          return result;
        },
      }),
    });
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      ids.push(
        (await call<{ sessionId: string }>(app.url, "session.create", { nodeId: "n" })).sessionId,
      );
    }
    const [first = "", second = "", third = ""] = ids;
    slowId = second;

    const { status } = await batch(
      app.url,
      "mutation",
      [second, first, second, third].map((sessionId) => ({
        path: "session.observe",
        input: { sessionId, strings: ["a"] },
      })),
    );

    expect(status).toBe(200);
    expect(committed.slice(0, 2).toSorted()).toEqual([first, third].toSorted());
  });
});
