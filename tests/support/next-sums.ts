import type { NextList } from "@kato-rpc/shared/next.ts";

/** By how much at most what must add up in a distribution does not: all of it to 1, and the weights of each event's reasons to its probability. */
export function deviationOf({ events, end, other }: NextList): number {
  const listed = sum(events.map(({ probability }) => probability));
  const claimed = events.map(({ probability, because, rest }) =>
    Math.abs(sum(because.map(({ weight }) => weight)) + rest - probability),
  );
  return Math.max(Math.abs(listed + end + other - 1), ...claimed);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
