import { UsageError } from "../usage-error.ts";
import type { LogEvent } from "./event-log.ts";
import { findTime } from "./timestamp.ts";

/** What a line of a log says, as text. @throws UsageError that names the line when it is no event */
export function parseEvent(
  { caseId, activity, timestamp }: Record<"caseId" | "activity" | "timestamp", string>,
  line: number,
): LogEvent {
  if (caseId === "") throw lineError(line, "the case is empty");
  if (activity === "") throw lineError(line, "the activity is empty");
  const time = findTime(timestamp);
  if (time === undefined) {
    throw lineError(
      line,
      `the timestamp ${JSON.stringify(timestamp.slice(0, 80))} is not understood: expected a form such as 2012-04-03 16:55:38, 2012-04-03T16:55:38.123Z, or a number`,
    );
  }
  return { caseId, activity, time };
}

export function lineError(line: number, problem: string, cause?: unknown): UsageError {
  return new UsageError(`line ${line}: ${problem}`, { cause });
}
