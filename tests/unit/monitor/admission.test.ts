import { describe, expect, it } from "vitest";
import type { ServiceError } from "@kato-rpc/shared/errors.ts";
import { waitFor } from "../../support/wait-for.ts";
import { Admission, statusOf, thresholdsOf } from "../../../server/monitor/admission.ts";

function openAdmission(rules: { limit: number; queueLimit: number }) {
  const heard: string[] = [];
  const admission = new Admission(rules, (status, running) => heard.push(`${status} ${running}`));
  return { admission, heard };
}

describe("Admission", () => {
  it("lets calls run up to the limit, then wait up to the queue's, then refuses", () => {
    const { admission } = openAdmission({ limit: 2, queueLimit: 1 });

    expect([admission.enter(), admission.enter()]).toEqual([undefined, undefined]);
    expect(admission.enter()).toBeDefined();

    expect(() => admission.enter()).toThrow(
      expect.objectContaining({ code: "OVERLOADED", details: { retryAfterMs: 500 } }),
    );
    expect([admission.running, admission.waiting, admission.peak]).toEqual([2, 1, 2]);
  });

  it("admits those who wait in the order in which they came, one for each that leaves", async () => {
    const { admission } = openAdmission({ limit: 1, queueLimit: 3 });
    const order: number[] = [];
    admission.enter();
    const places = [1, 2, 3].map(async (n) => {
      await admission.enter()?.admitted;
      order.push(n);
    });

    admission.leave();
    await places[0];
    expect(order).toEqual([1]);
    admission.leave();
    admission.leave();
    await Promise.all(places);

    expect(order).toEqual([1, 2, 3]);
    expect([admission.running, admission.waiting, admission.peak]).toEqual([1, 0, 1]);
  });

  it("passes over those who gave up, and gives their place in the queue to others", async () => {
    const { admission } = openAdmission({ limit: 1, queueLimit: 1 });
    admission.enter();
    const impatient = admission.enter();

    expect(impatient?.giveUp()).toBe(true);
    expect(impatient?.giveUp()).toBe(false);
    const next = admission.enter();
    admission.leave();
    await next?.admitted;

    expect(next?.giveUp()).toBe(false);
    expect([admission.running, admission.waiting]).toEqual([1, 0]);
  });

  it("lets others run while a call waits long for something, as many as the queue has room for", async () => {
    const { admission } = openAdmission({ limit: 1, queueLimit: 2 });
    const slow = Promise.withResolvers<string>();
    admission.enter();
    const aside = admission.stepAside(slow.promise);
    const next = admission.enter();

    await next?.admitted;
    const during = [admission.running, admission.waiting];
    slow.resolve("done");

    expect(during).toEqual([1, 1]);
    expect(await aside).toBe("done");
    expect([admission.running, admission.waiting]).toEqual([2, 0]);
    admission.leave();
    admission.leave();
    expect(admission.running).toBe(0);
  });

  it("refuses no whole requests while a call could run, however many have stepped aside", async () => {
    const { admission } = openAdmission({ limit: 2, queueLimit: 8 });
    const slow = Promise.withResolvers<void>();
    const aside: Promise<void>[] = [];
    while (aside.length < 8) {
      admission.enter();
      aside.push(admission.stepAside(slow.promise));
      await waitFor(() => admission.waiting === aside.length, { what: "the call to step aside" });
    }
    while (!admission.isFull) admission.enter();
    expect(admission.isShedding).toBe(true);

    admission.leave();
    admission.leave();

    expect([admission.running, admission.waiting]).toEqual([0, 8]);
    expect(admission.isShedding).toBe(false);
    expect(admission.enter()).toBeUndefined();
    slow.resolve();
    await Promise.all(aside);
  });

  it("lets a call keep its place that waits for something ready", async () => {
    const { admission } = openAdmission({ limit: 1, queueLimit: 2 });
    admission.enter();

    await admission.stepAside(Promise.resolve());

    expect([admission.running, admission.waiting]).toEqual([1, 0]);
  });

  it("lets monitoring calls through a full house, and counts them", () => {
    const { admission } = openAdmission({ limit: 1, queueLimit: 0 });
    admission.enter();

    admission.enterAhead();

    expect([admission.running, admission.peak]).toEqual([2, 2]);
    admission.leave();
    expect(() => admission.enter()).toThrow(expect.objectContaining({ code: "OVERLOADED" }));
    admission.leave();
    expect(admission.enter()).toBeUndefined();
  });

  it("bounds the monitoring calls too", () => {
    const { admission } = openAdmission({ limit: 1, queueLimit: 0 });
    for (let i = 0; i < 201; i++) admission.enterAhead();

    expect(() => admission.enterAhead()).toThrow(expect.objectContaining({ code: "OVERLOADED" }));
    expect(admission.running).toBe(201);
  });

  it("asks to come back sooner when fewer wait", () => {
    const { admission } = openAdmission({ limit: 1, queueLimit: 4 });
    admission.enter();
    admission.enter();

    const error: ServiceError = admission.overloaded("full");

    expect(error.details.retryAfterMs).toBe(200);
  });

  it("tells every change of status with the calls that run then", () => {
    const { admission, heard } = openAdmission({ limit: 20, queueLimit: 0 });

    for (let i = 0; i < 20; i++) admission.enter();
    for (let i = 0; i < 20; i++) admission.leave();

    expect(heard).toEqual(["warning 16", "critical 19", "warning 18", "healthy 15"]);
  });
});

describe("the thresholds of the status", () => {
  it.each([
    [100, 80, 95],
    [101, 80, 95],
    [20, 16, 19],
    [2, 1, 1],
    [1, 1, 1],
  ])("of %i calls are %i and %i", (limit, warning, critical) => {
    const thresholds = thresholdsOf(limit);

    expect(thresholds).toEqual({ warning, critical });
    expect(statusOf(critical, thresholds)).toBe("critical");
    expect(statusOf(warning, thresholds)).toBe(warning === critical ? "critical" : "warning");
    expect(statusOf(warning - 1, thresholds)).toBe("healthy");
  });
});
