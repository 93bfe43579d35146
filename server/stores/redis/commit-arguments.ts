import { mostRemembered } from "../remembered-window.ts";
import type { Contact, Retention, SessionCommit, SessionDelta } from "../session-store.ts";
import { learnArguments } from "./memory-arguments.ts";

/** What clock.lua takes for Redis's own clock. */
export const STORE_CLOCK = "";

export type ScriptArguments = (string | number)[];

/** Of a number, which need not be written to be counted. */
const ASSUMED_DIGITS = 20;

/** Of what is sent, in values and their characters, estimated. */
export function sizeOf(values: ScriptArguments): number {
  let size = 0;
  for (const value of values)
    size += 1 + (typeof value === "string" ? value.length : ASSUMED_DIGITS);
  return size;
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
  let shape =
    bit(delta.clearsStm) + bit(delta.clearsAccumulators) + bit(delta.clearsVectors) + bit(isWhole);
  const counted = (before: number) => {
    shape += ` ${args.length - before}`;
  };
  const addJson = (values: readonly unknown[], count: number) => {
    const before = args.length;
    for (const value of lastOf(values, count)) args.push(JSON.stringify(value));
    counted(before);
  };
  for (const id of commit.ids) args.push(id);
  counted(FIRST_VALUE);
  addJson(delta.events, events);
  addJson(delta.emotives, accumulated);
  addJson(delta.metadata, accumulated);
  addJson(delta.vectors, accumulated);
  const firstReply = args.length;
  for (const { id, reply } of outcomes) args.push(id, JSON.stringify(reply));
  counted(firstReply);
  const firstField = args.length;
  addHeadFields(args, delta);
  counted(firstField);
  args[SHAPE_AT] = shape;
  if (learns.length > 0) for (const value of learnArguments(learns, outcomes)) args.push(value);
  return args;
}

const SHAPE_AT = 4;
const FIRST_VALUE = 5;

function bit(flag: boolean): string {
  return flag ? "1" : "0";
}

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

function lastOf<T>(values: readonly T[], count: number): readonly T[] {
  return values.length > count ? values.slice(-count) : values;
}

/** Names and values; '' removes a field. */
function addHeadFields(args: ScriptArguments, delta: SessionDelta): void {
  if (delta.percept !== undefined) {
    args.push("p", delta.percept === null ? "" : JSON.stringify(delta.percept));
  }
  if (delta.config !== undefined) args.push("g", jsonUnlessEmpty(delta.config));
}
