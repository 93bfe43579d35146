/** One line of an event log; `time` orders the events of a case. */
export type LogEvent = { caseId: string; activity: string; time: number };

/** The activities of one case, in order. */
export type LogCase = { caseId: string; activities: readonly string[] };

/**
 * Gathers events by case: in the order of their times, those of one time in the order in which they
 * come. Cases come in the order of their first events. Memory in proportion to the events, each
 * activity's text held once.
 */
export async function gatherCases(events: AsyncIterable<LogEvent>): Promise<LogCase[]> {
  const texts = new Map<string, string>();
  const cases = new Map<string, { activities: string[]; times: number[]; isSorted: boolean }>();
  for await (const { caseId, activity, time } of events) {
    let text = texts.get(activity);
    if (text === undefined) texts.set(activity, (text = activity));
    const gathered = cases.get(caseId);
    if (gathered === undefined) {
      cases.set(caseId, { activities: [text], times: [time], isSorted: true });
      continue;
    }
    if (time < (gathered.times.at(-1) ?? time)) gathered.isSorted = false;
    gathered.activities.push(text);
    gathered.times.push(time);
  }
  return Array.from(cases, ([caseId, { activities, times, isSorted }]) => ({
    caseId,
    activities: isSorted ? activities : sortByTime(activities, times),
  }));
}

function sortByTime(activities: readonly string[], times: readonly number[]): string[] {
  return activities
    .map((activity, i) => ({ activity, time: times[i] ?? 0 }))
    .sort((a, b) => a.time - b.time)
    .map(({ activity }) => activity);
}
