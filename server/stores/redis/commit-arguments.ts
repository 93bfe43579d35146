import { mostRemembered } from "../remembered-window.ts";
import type { Contact, Retention, SessionCommit, SessionDelta } from "../session-store.ts";
import { learnArguments } from "./memory-arguments.ts";

/** What clock.lua takes for Redis's own clock. */
export const STORE_CLOCK = "";

export type ScriptArguments = (string | number)[];

/** Of what is sent, in values and their characters. */
export function sizeOf(values: ScriptArguments): number {
  return values.reduce<number>((size, value) => size + 1 + String(value).length, 0);
}

/** What commit-sessions.lua takes before the commits themselves. */
export function groupArguments(at: Contact, retention: Retention, count: number): ScriptArguments {
  const { events, accumulated, outcomes, outcomesMs } = retention;
  return [
    at.nowMs ?? STORE_CLOCK,
    at.slides ? 1 : 0,
    events,
    accumulated,
    outcomes,
    outcomesMs,
    count,
  ];
}

/** What it takes of one commit, and of what that learns. */
export function commitArguments(
  commit: SessionCommit,
  suffix: string,
  { retention, isWhole }: { retention: Retention; isWhole: boolean },
): ScriptArguments {
  const { delta, learns } = commit;
  const { events, accumulated } = retention;
  const outcomes = lastOf(commit.outcomes, mostRemembered(retention));
  // Its place is the shape's, which the values make.
  const base = `${commit.baseVersion}-${commit.baseMark}`;
  const args: ScriptArguments = [suffix, base, commit.mark, commit.time, ""];
  let shape = [delta.clearsStm, delta.clearsAccumulators, delta.clearsVectors, isWhole]
    .map((flag) => (flag ? "1" : "0"))
    .join("");
  const add = (values: readonly string[]) => {
    for (const value of values) args.push(value);
    shape += ` ${values.length}`;
  };
  add(commit.ids);
  add(jsonOfLast(delta.events, events));
  add(jsonOfLast(delta.emotives, accumulated));
  add(jsonOfLast(delta.metadata, accumulated));
  add(jsonOfLast(delta.vectors, accumulated));
  add(outcomes.flatMap(({ id, reply }) => [id, JSON.stringify(reply)]));
  add(headFields(delta));
  args[SHAPE_AT] = shape;
  if (learns.length > 0) for (const value of learnArguments(learns, outcomes)) args.push(value);
  return args;
}

const SHAPE_AT = 4;

/** Whether it touches more than the keys that every commit does. */
export function needsAllKeys({ delta, learns }: SessionCommit): boolean {
  return (
    learns.length > 0 ||
    delta.clearsAccumulators ||
    delta.clearsVectors ||
    delta.emotives.length + delta.metadata.length + delta.vectors.length > 0
  );
}

/** '' for an empty object. */
export function jsonUnlessEmpty(value: object): string {
  const text = JSON.stringify(value);
  return text === "{}" ? "" : text;
}

function jsonOfLast(values: readonly unknown[], count: number): string[] {
  return lastOf(values, count).map((value) => JSON.stringify(value));
}

function lastOf<T>(values: readonly T[], count: number): readonly T[] {
  return values.length > count ? values.slice(-count) : values;
}

/** Names and values; '' removes a field. */
function headFields(delta: SessionDelta): string[] {
  const fields: string[] = [];
  if (delta.percept !== undefined) {
    fields.push("p", delta.percept === null ? "" : JSON.stringify(delta.percept));
  }
  if (delta.config !== undefined) fields.push("g", jsonUnlessEmpty(delta.config));
  return fields;
}
