import { describe, expect, it } from "vitest";
import { Heartbeat } from "../../../server/workers/heartbeat.ts";

/** A heartbeat over workers of which those in `alive` answer every question. */
function watch(alive: ReadonlySet<number>) {
  const hung: number[] = [];
  const heartbeat: Heartbeat = new Heartbeat({
    ask: (id) => alive.has(id) && heartbeat.answered(id),
    onHung: (id) => hung.push(id),
  });
  return { heartbeat, hung };
}

describe("a heartbeat", () => {
  it("tells once of a worker that leaves as many questions unanswered as it may", () => {
    const { heartbeat, hung } = watch(new Set([1]));
    heartbeat.add(1, 3);
    heartbeat.add(2, 3);

    for (let i = 0; i < 3; i++) heartbeat.beat();
    expect(hung).toEqual([]);
    for (let i = 0; i < 9; i++) heartbeat.beat();

    expect(hung).toEqual([2]);
  });

  it("forgets what a worker left unanswered as soon as it answers", () => {
    const { heartbeat, hung } = watch(new Set());
    heartbeat.add(1, 2);

    for (let i = 0; i < 10; i++) {
      heartbeat.beat();
      heartbeat.beat();
      heartbeat.answered(1);
    }

    expect(hung).toEqual([]);
  });

  it("counts anew, to another number, for a worker that is added again", () => {
    const { heartbeat, hung } = watch(new Set());
    heartbeat.add(1, 5);
    for (let i = 0; i < 5; i++) heartbeat.beat();
    heartbeat.add(1, 2);

    for (let i = 0; i < 2; i++) heartbeat.beat();
    expect(hung).toEqual([]);
    heartbeat.beat();

    expect(hung).toEqual([1]);
  });

  it("leaves alone a worker that is gone, whatever it still says", () => {
    const { heartbeat, hung } = watch(new Set());
    heartbeat.add(1, 1);
    heartbeat.gone(1);
    heartbeat.answered(1);

    for (let i = 0; i < 5; i++) heartbeat.beat();

    expect(hung).toEqual([]);
  });
});
