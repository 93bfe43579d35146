import type { Event } from "@kato-rpc/shared/observation.ts";
import { formatColumns, formatNumber } from "../columns.ts";
import type { Output } from "../screen.ts";
import type { PrefixPredictions, ShownPrediction } from "./predict-prefixes.ts";

const HEAD = ["pattern", "similarity", "past", "present", "future", "potential", "frequency"];
const NUMBERS = [1, 5, 6];

const EVENTS_SHOWN = 6;
const CHARACTERS_SHOWN = 20;

/** One table for all prefixes, so that their columns align; a heading before each. */
export function showPredictions(all: readonly PrefixPredictions[], output: Output): void {
  const rows = all.flatMap(({ predictions }) => predictions.map(rowOf));
  const [head = "", ...lines] = formatColumns([HEAD, ...rows], { right: NUMBERS });
  for (const { case: caseId, observed, next, predictions, empty } of all) {
    output.line();
    const after = showEvents(
      observed.map((activity) => [activity]),
      "newest",
    );
    output.line(`case ${showSymbol(caseId)} after ${after}, next came ${showSymbol(next)}`);
    if (predictions.length === 0) {
      output.line(`no predictions: ${empty ?? "none"}`);
      continue;
    }
    output.line(output.style("dim", head));
    for (const { future } of predictions) {
      const line = lines.shift() ?? "";
      // Green where the pattern foresaw what came.
      output.line(future[0]?.includes(next) === true ? output.style("green", line) : line);
    }
  }
}

function rowOf(prediction: ShownPrediction): string[] {
  const { pattern, similarity, past, present, future, potential, frequency } = prediction;
  return [
    pattern.slice(0, 8),
    formatNumber(similarity, 3),
    showEvents(past, "newest"),
    showEvents(present, "newest"),
    showEvents(future, "oldest"),
    formatNumber(potential, 3),
    formatNumber(frequency),
  ];
}

/** `pay → ship`, events of several symbols in braces; of many events the newest or the oldest few. */
function showEvents(events: readonly Event[], kept: "newest" | "oldest"): string {
  if (events.length === 0) return "·";
  const isCut = events.length > EVENTS_SHOWN;
  const some = kept === "newest" ? events.slice(-EVENTS_SHOWN) : events.slice(0, EVENTS_SHOWN);
  const shown = some.map((event) =>
    event.length === 1 ? showSymbol(event[0] ?? "") : `{${event.map(showSymbol).join(" ")}}`,
  );
  if (isCut && kept === "newest") shown.unshift("…");
  if (isCut && kept === "oldest") shown.push("…");
  return shown.join(" → ");
}

/** Quoted unless it is plain: a log's own text must not reach the terminal as it is. */
function showSymbol(symbol: string): string {
  const text = symbol.length > CHARACTERS_SHOWN ? `${symbol.slice(0, CHARACTERS_SHOWN)}…` : symbol;
  if (/^[\p{L}\p{N}\p{P}\p{S}]+( [\p{L}\p{N}\p{P}\p{S}]+)*$/u.test(text)) return text;
  return JSON.stringify(text).replaceAll(
    /\p{C}/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
