import { formatColumns, formatNumber } from "../columns.ts";
import type { Output } from "../screen.ts";
import type { ReplayReport } from "./replay.ts";
import { showPredictions } from "./show-predictions.ts";

export function showReport(report: ReplayReport, output: Output): void {
  const rows = [
    ["cases", formatNumber(report.cases)],
    ["events", formatNumber(report.events)],
    ["seconds", formatNumber(report.seconds, 2)],
    ["events/s", formatNumber(report.eventsPerSecond)],
    ["mismatches", formatNumber(report.mismatches)],
    ["failed calls", formatNumber(report.failedCalls)],
  ];
  const { learned, predictions } = report;
  if (learned !== undefined) {
    rows.push(
      ["learned", formatNumber(learned.cases)],
      ["learns/s", formatNumber(learned.perSecond)],
      ["patterns", formatNumber(learned.patterns)],
      ["one symbol only", formatNumber(learned.tooShort)],
    );
  }
  for (const line of formatColumns(rows, { right: [1] })) output.line(line);
  for (const { case: caseId, problem } of report.problems) {
    // Quoted: a log's own text must not reach the terminal as it is.
    output.line(`case ${JSON.stringify(caseId)}: ${problem}`);
  }
  output.line(
    report.ok
      ? output.style("green", "every session holds exactly what was sent to it")
      : output.style("red", "not every session holds what was sent to it"),
  );
  if (predictions !== undefined) showPredictions(predictions, output);
}
