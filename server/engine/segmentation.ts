import type { Event } from "@kato-rpc/shared/observation.ts";

/** A pattern's events around what was observed. */
export interface Segments {
  past: Event[];
  present: Event[];
  future: Event[];
}

/** Sizes of the regions that the matching blocks cut out of a pattern's symbols (prediction.md §5.3). */
export interface Regions {
  pastSymbols: number;
  presentSymbols: number;
}

/**
 * Rounds the regions to whole events (prediction.md §6.1). An event that is only partly past goes there first; the last
 * past event comes back when it has the first matched symbol, wherever in the pattern that match was.
 */
export function segmentEvents(
  events: readonly Event[],
  regions: Regions,
  firstMatch: string | undefined,
): Segments {
  const { pastSymbols, presentSymbols } = regions;
  const pastEnd = countEvents(events, pastSymbols);
  const presentEnd = Math.max(pastEnd, countEvents(events, pastSymbols + presentSymbols));
  const lastPast = events[pastEnd - 1];
  const comesBack =
    lastPast !== undefined && firstMatch !== undefined && lastPast.includes(firstMatch);
  const presentStart = comesBack ? pastEnd - 1 : pastEnd;

  return {
    past: events.slice(0, presentStart),
    present: events.slice(presentStart, presentEnd),
    future: events.slice(presentEnd),
  };
}

/** The least number of leading events with at least so many symbols. */
function countEvents(events: readonly Event[], symbols: number): number {
  let count = 0;
  let size = 0;
  while (size < symbols && count < events.length) {
    size += events[count]?.length ?? 0;
    count += 1;
  }
  return count;
}

/** Per event of `present`, its symbols that occur nowhere in `matches` (prediction.md §6.3). */
export function findMissing(present: readonly Event[], matches: readonly string[]): Event[] {
  const matched = new Set(matches);
  return present.map((event) => event.filter((symbol) => !matched.has(symbol)));
}

/** Per event of short-term memory, its symbols that occur nowhere in `present` (prediction.md §6.3). */
export function findExtras(stm: readonly Event[], present: readonly Event[]): Event[] {
  const expected = new Set(present.flat());
  return stm.map((event) => event.filter((symbol) => !expected.has(symbol)));
}
