import * as fc from "fast-check";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import type { Context } from "../../../server/api/context.ts";
import { CallLog } from "../../../server/http/call-log.ts";
import { RpcDispatch } from "../../../server/http/rpc-dispatch.ts";
import { Admission } from "../../../server/monitor/admission.ts";
import { CallMetrics } from "../../../server/monitor/call-metrics.ts";
import type { Call } from "../../../server/sessions/call.ts";
import { answersOf } from "../../support/answers-of.ts";
import { waitFor } from "../../support/wait-for.ts";

/** What a call asks of the sessions: to get its place after so many turns of the event loop, or to fail before it. */
type Slow = { sessionId: string; expectedTime: number };

const FAILS = 99;

/** Sessions whose calls take their place in line as slowly as each call says, and note when they get it. */
function slowSessions(placed: string[]): Context["sessions"] {
  const observe = async ({ sessionId, expectedTime: turns }: Slow, call: Call) => {
    for (let i = 0; i < turns % 10; i++) await new Promise(setImmediate);
    if (turns === FAILS) throw new Error("before it had its place");
    placed.push(`${sessionId} ${call.requestId}`);
    call.queued();
    // The answer comes much later than the place.
    await new Promise(setImmediate);
    return {};
  };
  // Of all the use cases, only this one is called here.
  return { observe } as unknown as Context["sessions"];
}

function createDispatch(
  placed: string[],
  limit = 100,
  log = pino({ level: "silent" }),
): RpcDispatch {
  const admission = new Admission({ limit, queueLimit: 100 }, () => undefined);
  const counters = {
    observations: 0,
    learns: 0,
    predictions: 0,
    sessionsCreated: 0,
    sessionsDeleted: 0,
    storeConflicts: 0,
  };
  return new RpcDispatch({
    services: { sessions: slowSessions(placed) } as unknown as Omit<Context, "call">,
    admission,
    metrics: new CallMetrics(
      admission,
      () => counters,
      () => ({ nodes: 0, bytes: 0 }),
    ),
    callLog: new CallLog(log, { accessLog: true, slowMs: 0, workerId: "w" }),
    log,
    deadlineMs: 5_000,
    now: Date.now,
  });
}

function observe(sessionId: string, turns: number) {
  return { path: "session.observe", payload: { json: { sessionId, expectedTime: turns } } };
}

describe("the calls of a batch on one session", () => {
  it("get their places in the order of the batch, however long each takes for it", async () => {
    const call = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.tuple(fc.constantFrom("a", "b"), fc.nat(5)).map(([s, t]) => observe(s, t)),
      },
      { weight: 1, arbitrary: fc.constantFrom(observe("a", FAILS), observe("b", FAILS)) },
      {
        weight: 1,
        arbitrary: fc.constant({ path: "no.such", payload: { json: { sessionId: "a" } } }),
      },
      {
        weight: 1,
        arbitrary: fc.constant({ path: "session.stm", payload: { json: { sessionId: "a" } } }),
      },
      {
        weight: 1,
        arbitrary: fc.constant({
          path: "session.observe",
          payload: { json: { sessionId: "b", strings: 1 } },
        }),
      },
    );
    const batches = fc.array(call, { minLength: 2, maxLength: 12 });

    await fc.assert(
      fc.asyncProperty(batches, fc.constantFrom(1, 2, 100), async (calls, limit) => {
        const placed: string[] = [];

        const answers = await answersOf(
          createDispatch(placed, limit),
          { isBatch: true, kind: "mutation", calls },
          "r",
        );

        expect(answers).toHaveLength(calls.length);
        for (const sessionId of ["a", "b"]) {
          const inBatchOrder = answers.flatMap(({ httpStatus }, i) =>
            httpStatus === 200 && calls[i]?.payload.json.sessionId === sessionId
              ? [`${sessionId} r.${i}`]
              : [],
          );
          expect(placed.filter((place) => place.startsWith(sessionId))).toEqual(inBatchOrder);
        }
      }),
      { numRuns: 150 },
    );
  });

  it("do not make the other sessions' calls wait", async () => {
    const placed: string[] = [];

    await answersOf(
      createDispatch(placed),
      {
        isBatch: true,
        kind: "mutation",
        calls: [observe("slow", 5), observe("slow", 0), observe("quick", 0)],
      },
      "r",
    );

    expect(placed).toEqual(["quick r.2", "slow r.0", "slow r.1"]);
  });
});

describe("a bug of the dispatch itself", () => {
  it.each([1, 3])("is told once, in place of the answers to %i calls", async (count) => {
    const log = pino({ level: "silent" });
    const bug = new Error("the log is broken");
    log.info = () => {
      throw bug;
    };
    const placed: string[] = [];
    const calls = Array.from({ length: count }, () => observe("a", 0));
    const told: unknown[] = [];

    createDispatch(placed, 100, log).answer({ isBatch: count > 1, kind: "mutation", calls }, "r", {
      answered: (answers) => void told.push(answers),
      failed: (failure) => void told.push(failure),
    });
    await waitFor(() => placed.length === count, { what: "all calls to run" });
    for (let i = 0; i < 10; i++) await new Promise(setImmediate);

    expect(told).toHaveLength(1);
    expect(told[0]).toBe(bug);
  });

  it("is told where its asker fails to take the answers, whose calls have all run", async () => {
    const placed: string[] = [];
    const bug = new Error("the connection is broken");
    const told: unknown[] = [];

    createDispatch(placed).answer(
      {
        isBatch: true,
        kind: "mutation",
        calls: [observe("a", 0), observe("a", FAILS), observe("a", 0)],
      },
      "r",
      {
        answered() {
          throw bug;
        },
        failed: (failure) => void told.push(failure),
      },
    );
    await waitFor(() => told.length > 0, { what: "the bug to be told" });
    for (let i = 0; i < 10; i++) await new Promise(setImmediate);

    expect(placed).toEqual(["a r.0", "a r.2"]);
    expect(told).toHaveLength(1);
    expect(told[0]).toBe(bug);
  });
});
