import { pino } from "pino";
import { describe, expect, it } from "vitest";
import type { Context } from "../../server/api/context.ts";
import { CallLog } from "../../server/http/call-log.ts";
import { RpcDispatch } from "../../server/http/rpc-dispatch.ts";
import { Admission } from "../../server/monitor/admission.ts";
import { CallMetrics } from "../../server/monitor/call-metrics.ts";
import { answersOf } from "../support/answers-of.ts";
import { LoadRecorder } from "../support/open-loop/load-recorder.ts";
import { outcomesOf } from "../support/open-loop/outcomes.ts";

const COUNTERS = {
  observations: 0,
  learns: 0,
  predictions: 0,
  sessionsCreated: 0,
  sessionsDeleted: 0,
  storeConflicts: 0,
};

/** A service with one busy place to run and one to wait; gives what it answers a batch. */
async function answerBatch(calls: number): Promise<string> {
  const log = pino({ level: "silent" });
  const admission = new Admission({ limit: 1, queueLimit: 1 }, () => undefined);
  admission.enter();
  const dispatch = new RpcDispatch({
    admission,
    metrics: new CallMetrics(
      admission,
      () => COUNTERS,
      () => ({ nodes: 0, bytes: 0 }),
    ),
    callLog: new CallLog(log, { accessLog: false, slowMs: 0, workerId: "w" }),
    log,
    // No call gets so far as to use them.
    services: {} as Omit<Context, "call">,
    deadlineMs: 50,
    now: Date.now,
  });
  const batch = Array.from({ length: calls }, () => ({
    path: "session.observe",
    payload: { json: {} },
  }));
  const request = { isBatch: true, kind: "mutation" as const, calls: batch };
  const answers = await answersOf(dispatch, request, "r");
  return `[${answers.map(({ json }) => json).join(",")}]`;
}

describe("what the open loop makes of an answer", () => {
  it("tells a call that waited in vain from those that found no place, and that these were told with it", async () => {
    const body = await answerBatch(3);

    expect(outcomesOf({ status: 503, body }, 3)).toEqual([
      "WAITED_TOO_LONG",
      "REFUSED_BESIDE",
      "REFUSED_BESIDE",
    ]);
  });

  it("takes a request for refused at the door when all its calls are", async () => {
    const [, ...refused] = JSON.parse(await answerBatch(3)) as unknown[];

    const body = JSON.stringify(refused);

    expect(outcomesOf({ status: 503, body }, 2)).toEqual(["REFUSED", "REFUSED"]);
  });

  it("takes calls without an error for done, and all of them for broken without an answer", async () => {
    const [, refused] = JSON.parse(await answerBatch(3)) as unknown[];
    const done = { result: { data: { json: { message: 'not "OVERLOADED"' } } } };

    const body = JSON.stringify([done, refused]);

    expect(outcomesOf({ status: 207, body }, 2)).toEqual(["ok", "REFUSED_BESIDE"]);
    expect(outcomesOf(undefined, 2)).toEqual(["CONNECTION_BROKEN", "CONNECTION_BROKEN"]);
  });

  it("is counted by kind, from when the call was due", () => {
    const recorder = new LoadRecorder();
    const dueAt = performance.now() - 1_000;

    recorder.sent(dueAt);
    for (const outcome of ["ok", "REFUSED", "REFUSED_BESIDE", "WAITED_TOO_LONG", "INTERNAL"]) {
      recorder.record(outcome, { dueAt });
    }
    const { latencies, failures, lag } = recorder.report();

    const counts = Object.entries(latencies).map(([kind, { count }]) => [kind, count]);
    expect(Object.fromEntries(counts)).toEqual({
      ok: 1,
      refused: 1,
      beside: 1,
      late: 1,
      failed: 1,
    });
    expect(latencies.refused.p99).toBeGreaterThanOrEqual(1_000);
    expect(lag.p99).toBeGreaterThanOrEqual(1_000);
    expect(failures).toEqual({ INTERNAL: 1 });
  });
});
