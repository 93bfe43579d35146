import { formatColumns, formatNumber } from "../columns.ts";
import type { Output } from "../screen.ts";
import type { EvaluateReport, MethodReport } from "./evaluate.ts";

const HEAD = [
  "method",
  "right at 1",
  "at 3",
  "at 5",
  "log loss, bits",
  "Brier",
  "ECE",
  "events right",
  "points ahead",
  "bits ahead",
] as const;

/** The scores as a table, the service above the baselines, and what was measured beside them. */
export function showScores(report: EvaluateReport, output: Output): void {
  const rows = report.methods.map((method, i) => {
    const { at1, at3, at5 } = method.accuracy;
    const { logLossBits, brier, calibrationError, eventAccuracy } = method;
    const figures = [at1, at3, at5, logLossBits, brier, calibrationError, eventAccuracy];
    const leads = i === 0 ? ["–", "–"] : formatLeads(method.lead);
    return [method.name, ...figures.map(formatFigure), ...leads];
  });
  const right = HEAD.map((_, column) => column).slice(1);
  const [head = "", ...lines] = formatColumns([HEAD, ...rows], { right });
  output.line(output.style("bold", head));
  for (const [i, line] of lines.entries())
    output.line(i === 0 ? output.style("green", line) : line);
  output.line();
  const { latencyMs } = report;
  const figures = [
    ["cases learned", formatNumber(report.training)],
    ["cases predicted", formatNumber(report.test)],
    ["patterns", formatNumber(report.patterns)],
    ["known events", formatNumber(report.knownEvents)],
    ["answers", formatNumber(report.answers)],
    ["answers/s", formatNumber(report.answersPerSecond)],
    ["p50 ms", formatNumber(latencyMs.p50, 2)],
    ["p99 ms", formatNumber(latencyMs.p99, 2)],
  ];
  for (const line of formatColumns(figures, { right: [1] })) output.line(line);
}

/** How far the service is ahead, and the standard errors. */
function formatLeads({ accuracy, logLossBits }: MethodReport["lead"]): string[] {
  return [
    `${formatNumber(100 * accuracy.mean, 2)} ± ${formatError(100 * accuracy.error, 2)}`,
    `${formatNumber(-logLossBits.mean, 4)} ± ${formatError(logLossBits.error, 4)}`,
  ];
}

function formatError(error: number, digits: number): string {
  return Number.isNaN(error) ? "–" : formatNumber(error, digits);
}

function formatFigure(figure: number | null): string {
  return figure === null ? "–" : formatNumber(figure, 4);
}
