import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Deadline } from "../../server/deadlines.ts";
import { Deadlines } from "../../server/deadlines.ts";

const LENGTH_MS = 100;
/** A deadline is kept to within this. */
const TICK_MS = 20;

const never = new Promise<never>(() => undefined);

describe("Deadlines", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it("settle as the promise does when that is in time", async () => {
    const deadlines = new Deadlines(LENGTH_MS);
    const late = vi.fn();

    await expect(deadlines.bound(Promise.resolve(1), late)).resolves.toBe(1);
    await expect(deadlines.bound(Promise.reject(new Error("no")), late)).rejects.toThrow("no");
    await vi.advanceTimersByTimeAsync(LENGTH_MS * 2);

    expect(late).not.toHaveBeenCalled();
  });

  it("reject with what `late` makes once the time has passed, not before", async () => {
    const deadlines = new Deadlines(LENGTH_MS);
    const settled = vi.fn();
    deadlines.bound(never, () => new Error("late")).catch(settled);

    await vi.advanceTimersByTimeAsync(LENGTH_MS - 1);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(TICK_MS + 1);

    expect(settled).toHaveBeenCalledExactlyOnceWith(new Error("late"));
  });

  it("pass in the order in which they began, each at its own time", async () => {
    const deadlines = new Deadlines(LENGTH_MS);
    const passed: number[] = [];
    for (let i = 0; i < 5; i++) {
      deadlines.bound(never, () => i).catch((late: number) => passed.push(late));
      await vi.advanceTimersByTimeAsync(TICK_MS);
    }

    await vi.advanceTimersByTimeAsync(TICK_MS);
    expect(passed.length).toBeGreaterThan(0);
    expect(passed.length).toBeLessThan(5);
    await vi.advanceTimersByTimeAsync(LENGTH_MS);

    expect(passed).toEqual([0, 1, 2, 3, 4]);
  });

  it("are not kept from passing by others that were met meanwhile", async () => {
    const deadlines = new Deadlines(LENGTH_MS);
    const late = deadlines.bound(never, () => "late");
    const outcome = expect(late).rejects.toBe("late");
    for (let i = 0; i < 3_000; i++) void deadlines.bound(Promise.resolve(i), () => i);

    await vi.advanceTimersByTimeAsync(LENGTH_MS + TICK_MS);

    await outcome;
  });

  it("leave no timer running when there is none to keep", async () => {
    const deadlines = new Deadlines(LENGTH_MS);

    await deadlines.bound(Promise.resolve(1), () => 0);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(TICK_MS);
    expect(vi.getTimerCount()).toBe(0);

    const again = deadlines.bound(never, () => "late");
    const outcome = expect(again).rejects.toBe("late");
    await vi.advanceTimersByTimeAsync(LENGTH_MS + TICK_MS);
    await outcome;
    expect(vi.getTimerCount()).toBe(0);
  });

  it("leave a promise that settles after its deadline alone", async () => {
    const deadlines = new Deadlines(LENGTH_MS);
    const { promise, resolve } = Promise.withResolvers<string>();
    const bounded = deadlines.bound(promise, () => "late");
    const outcome = expect(bounded).rejects.toBe("late");

    await vi.advanceTimersByTimeAsync(LENGTH_MS + TICK_MS);
    resolve("too late");

    await outcome;
  });

  it("are added without a promise: each expires once when its time has passed, not before", async () => {
    const deadlines = new Deadlines(LENGTH_MS);
    const expire = vi.fn();
    const deadline = deadlines.add(expire);

    await vi.advanceTimersByTimeAsync(LENGTH_MS - 1);
    expect([expire.mock.calls.length, deadline.isOver]).toEqual([0, false]);
    await vi.advanceTimersByTimeAsync(LENGTH_MS * 3);

    expect(expire).toHaveBeenCalledOnce();
    expect(deadline.isOver).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("that are met in time never expire, and can be met once", async () => {
    const deadlines = new Deadlines(LENGTH_MS);
    const expire = vi.fn();
    const deadline = deadlines.add(expire);

    const met = [deadline.meet(), deadline.meet()];
    await vi.advanceTimersByTimeAsync(LENGTH_MS * 2);

    expect(met).toEqual([true, false]);
    expect(deadline.isOver).toBe(true);
    expect(expire).not.toHaveBeenCalled();
  });

  it("cannot be met once they have passed", async () => {
    const deadlines = new Deadlines(LENGTH_MS);
    const deadline = deadlines.add(() => undefined);

    await vi.advanceTimersByTimeAsync(LENGTH_MS + TICK_MS);

    expect(deadline.meet()).toBe(false);
  });

  it("may be met while others expire, and have others added", async () => {
    const deadlines = new Deadlines(LENGTH_MS);
    const expired: string[] = [];
    let late: Deadline | undefined;
    deadlines.add(() => {
      expired.push("first");
      late = deadlines.add(() => expired.push("late"));
      second.meet();
    });
    const second = deadlines.add(() => expired.push("second"));
    deadlines.add(() => expired.push("third"));

    await vi.advanceTimersByTimeAsync(LENGTH_MS + TICK_MS);
    expect(expired).toEqual(["first", "third"]);
    expect(late?.isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(LENGTH_MS + TICK_MS);

    expect(expired).toEqual(["first", "third", "late"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("pass at their own times though thousands before them were met", async () => {
    const deadlines = new Deadlines(LENGTH_MS);
    const expired: number[] = [];
    for (let i = 0; i < 3_000; i++) deadlines.add(() => expired.push(i)).meet();
    await vi.advanceTimersByTimeAsync(TICK_MS * 2);
    for (let i = 0; i < 3; i++) deadlines.add(() => expired.push(i));

    await vi.advanceTimersByTimeAsync(LENGTH_MS - 1);
    expect(expired).toEqual([]);
    await vi.advanceTimersByTimeAsync(TICK_MS + 1);

    expect(expired).toEqual([0, 1, 2]);
  });
});
