import { formatColumns, formatNumber } from "../columns.ts";
import type { Command } from "../command.ts";
import { JSON_FLAG } from "../command.ts";
import { findText } from "../flag-values.ts";
import { interruptible } from "../interruption.ts";
import type { Output, Screen } from "../screen.ts";
import type { Target } from "../target.ts";
import { readTarget, targetFlags, withTarget } from "../target.ts";
import type { IncidentCase } from "./incident-case.ts";
import type { IncidentResult, Way } from "./run-incident.ts";
import { runIncident } from "./run-incident.ts";

const DEFAULTS = { node: "incident", workers: 4 } as const;

/** What was seen of the service's predecessor: many sessions at once, and many calls on one. */
const CASES: readonly IncidentCase[] = [
  { sessions: 10, observes: 5 },
  { sessions: 1, observes: 200 },
];
const WAYS: readonly Way[] = ["sdk", "fetch"];

export const INCIDENT: Command = {
  name: "incident",
  parameters: [],
  about: `Sends 10 sessions 5 observations each, and one session 200, all at the same moment: in the batches
of the SDK and as one HTTP request for each call. Then reads the sessions back. Without --url each
case meets a cold server of its own. Exit code 1 when an observation is lost, doubled or out of order.`,
  flags: {
    ...targetFlags(DEFAULTS.workers),
    node: { value: "NAME", meaning: "node for the sessions", default: DEFAULTS.node },
    json: JSON_FLAG,
  },
  examples: [
    "kato incident",
    "kato incident --store redis://127.0.0.1:6379 --workers 2",
    "kato incident --url http://127.0.0.1:8000 --json",
  ],
  async run({ flags, screen }) {
    const target = readTarget(flags, DEFAULTS.workers);
    const nodeId = findText(flags, "node") ?? DEFAULTS.node;
    const results = await interruptible((signal) => runAll({ target, nodeId, signal }, screen));
    const ok = results.every((result) => result.ok);
    if (flags["json"] === true) screen.result.line(JSON.stringify({ ok, results }));
    else show(results, screen.result);
    return ok ? 0 : 1;
  },
};

async function runAll(
  { target, nodeId, signal: aborted }: { target: Target; nodeId: string; signal: AbortSignal },
  screen: Screen,
): Promise<IncidentResult[]> {
  const results: IncidentResult[] = [];
  for (const incident of CASES) {
    for (const way of WAYS) {
      const result = await withTarget(target, aborted, (url, signal) =>
        runIncident(incident, way, { url, nodeId, signal }),
      );
      results.push(result);
      if (screen.notes.terminal !== undefined) {
        screen.notes.line(screen.notes.style("dim", `${result.case} through ${way}: done`));
      }
    }
  }
  return results;
}

const HEADER = [
  "case",
  "through",
  "calls",
  "answered",
  "kept",
  "exact STM",
  "time 1…n",
  "ms",
  "errors",
];

function show(results: readonly IncidentResult[], output: Output): void {
  const rows = results.map((result) => [
    result.case,
    result.through,
    formatNumber(result.calls),
    formatNumber(result.answered),
    formatNumber(result.kept),
    result.exactStm ? "yes" : "no",
    result.exactTimes ? "yes" : "no",
    formatNumber(result.ms, 1),
    describeErrors(result.errors),
  ]);
  const [header = "", ...lines] = formatColumns([HEADER, ...rows], { right: [2, 3, 4, 7] });
  output.line(output.style("bold", header));
  for (const [i, line] of lines.entries()) {
    output.line(output.style(results[i]?.ok === true ? "green" : "red", line));
  }
  output.line(
    results.every(({ ok }) => ok)
      ? output.style("green", "every observation was kept, once and in order")
      : output.style("red", "not every observation was kept, once and in order"),
  );
}

function describeErrors(errors: Readonly<Record<string, number>>): string {
  const counted = Object.entries(errors).map(([error, count]) => `${count} ${error}`);
  return counted.length === 0 ? "none" : counted.join(", ");
}
