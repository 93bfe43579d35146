import { pino } from "pino";
import { beforeEach, describe, expect, it } from "vitest";
import type { Context } from "../../../server/api/context.ts";
import { CallLog } from "../../../server/http/call-log.ts";
import { LoadShedding } from "../../../server/http/load-shedding.ts";
import { RpcDispatch } from "../../../server/http/rpc-dispatch.ts";
import { Admission } from "../../../server/monitor/admission.ts";
import { CallMetrics } from "../../../server/monitor/call-metrics.ts";
import { answersOf } from "../../support/answers-of.ts";

const COUNTERS = {
  observations: 0,
  learns: 0,
  predictions: 0,
  sessionsCreated: 0,
  sessionsDeleted: 0,
  storeConflicts: 0,
};

function post(...names: string[]) {
  return { method: "POST", path: names.join(","), isBatch: names.length > 1 };
}

describe("shedding of load", () => {
  let admission: Admission;
  let metrics: CallMetrics;
  let shedding: LoadShedding;
  let dispatch: RpcDispatch;

  beforeEach(() => {
    const log = pino({ level: "silent" });
    admission = new Admission({ limit: 1, queueLimit: 1 }, () => undefined);
    metrics = new CallMetrics(
      admission,
      () => COUNTERS,
      () => ({ nodes: 0, bytes: 0 }),
    );
    const callLog = new CallLog(log, { accessLog: false, slowMs: 0, workerId: "w" });
    const counted = { admission, metrics, callLog, log };
    shedding = new LoadShedding(counted);
    dispatch = new RpcDispatch({
      ...counted,
      // No call gets so far as to use them.
      services: {} as Omit<Context, "call">,
      deadlineMs: 5_000,
      now: Date.now,
    });
  });

  function fillTheLine(): void {
    admission.enter();
    admission.enter();
  }

  it("refuses nothing while a call can still wait", () => {
    expect(shedding.refuse(post("session.observe"), "r")).toBeUndefined();
    admission.enter();
    expect(shedding.refuse(post("session.observe"), "r")).toBeUndefined();
  });

  it("begins with a full line and ends when an eighth of it is free", () => {
    const line = new Admission({ limit: 1, queueLimit: 16 }, () => undefined);
    for (let calls = 0; calls < 17; calls += 1) line.enter();
    expect(line.isShedding).toBe(true);
    line.leave();
    expect(line.isShedding).toBe(true);
    line.leave();
    expect(line.isShedding).toBe(false);
    line.enter();
    expect(line.isShedding).toBe(false);
  });

  it.each([
    ["one call", ["session.observe"]],
    ["a batch", ["session.observe", "session.learn", "session.observe"]],
  ])("answers %s to the letter as the dispatch does", async (_, names) => {
    fillTheLine();
    const calls = names.map((path) => ({ path, payload: { json: {} } }));
    const isBatch = names.length > 1;

    for (const requestId of ["r", "other-id"]) {
      const answered = await answersOf(dispatch, { isBatch, kind: "mutation", calls }, requestId);
      expect(shedding.refuse(post(...names), requestId)).toEqual(answered);
    }
  });

  it("refuses queries by GET too", () => {
    fillTheLine();
    const query = { method: "GET", path: "session.stm", isBatch: false };
    expect(shedding.refuse(query, "r")).toMatchObject([{ httpStatus: 503, retryAfterMs: 500 }]);
  });

  it.each([
    ["asks the monitor", "monitor.health", "GET"],
    ["calls what there is not", "session.observed", "POST"],
    ["calls a query as a mutation", "session.stm", "POST"],
    ["calls what every object has", "constructor", "POST"],
  ])("leaves to the dispatch a request that %s", (_, path, method) => {
    fillTheLine();
    expect(shedding.refuse({ method, path, isBatch: false }, "r")).toBeUndefined();
  });

  it("leaves to the dispatch a batch of which one call may get through", () => {
    fillTheLine();
    const batch = { method: "GET", path: "session.stm,monitor.health", isBatch: true };
    expect(shedding.refuse(batch, "r")).toBeUndefined();
  });

  it("counts every call that it refuses", () => {
    fillTheLine();
    shedding.refuse(post("session.observe", "session.observe", "session.learn"), "r");
    expect(metrics.counters(COUNTERS)).toMatchObject({
      calls: 3,
      errorsByCode: { OVERLOADED: 3 },
      callsByProcedure: { "session.observe": 2, "session.learn": 1 },
    });
  });
});
