import { mostRemembered } from "../remembered-window.ts";
import type { Retention, SessionCommit } from "../session-store.ts";
import { learnArguments } from "./memory-arguments.ts";

/** What clock.lua takes for Redis's own clock. */
export const STORE_CLOCK = "";

/** What commit-session.lua takes after the session's suffix. */
export function commitArguments(commit: SessionCommit, retention: Retention): (string | number)[] {
  const { at, delta, learns } = commit;
  const { events, accumulated } = retention;
  const outcomes = commit.outcomes.slice(-mostRemembered(retention));
  const lists = [
    commit.ids,
    jsonOfLast(delta.events, events),
    jsonOfLast(delta.emotives, accumulated),
    jsonOfLast(delta.metadata, accumulated),
    jsonOfLast(delta.vectors, accumulated),
    outcomes.flatMap(({ id, reply }) => [id, JSON.stringify(reply)]),
    headFields(commit),
  ];
  return [
    at.nowMs ?? STORE_CLOCK,
    at.slides ? 1 : 0,
    `${commit.baseVersion}-${commit.baseMark}`,
    commit.time,
    delta.clearsStm ? 1 : 0,
    delta.clearsAccumulators ? 1 : 0,
    delta.clearsVectors ? 1 : 0,
    events,
    accumulated,
    retention.outcomes,
    retention.outcomesMs,
    ...lists.map((list) => list.length),
    ...lists.flat(),
    ...(learns.length === 0 ? [] : learnArguments(learns, outcomes)),
  ];
}

/** '' for an empty object. */
export function jsonUnlessEmpty(value: object): string {
  const text = JSON.stringify(value);
  return text === "{}" ? "" : text;
}

function jsonOfLast(values: readonly unknown[], count: number): string[] {
  return values.slice(-count).map((value) => JSON.stringify(value));
}

/** Names and values; '' removes a field. */
function headFields({ mark, delta }: SessionCommit): string[] {
  const fields = ["k", mark];
  if (delta.percept !== undefined) {
    fields.push("p", delta.percept === null ? "" : JSON.stringify(delta.percept));
  }
  if (delta.config !== undefined) fields.push("g", jsonUnlessEmpty(delta.config));
  return fields;
}
