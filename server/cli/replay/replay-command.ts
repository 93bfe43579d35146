import { LIMITS } from "@kato-rpc/shared/limits.ts";
import type { Command, Flags } from "../command.ts";
import { JSON_FLAG } from "../command.ts";
import { findCount, findText } from "../flag-values.ts";
import { interruptible } from "../interruption.ts";
import type { Step } from "../progress.ts";
import { openProgress } from "../progress.ts";
import type { Target } from "../target.ts";
import { readTarget, targetFlags, withTarget } from "../target.ts";
import { UsageError } from "../usage-error.ts";
import { FIELD_FLAGS, readNames } from "./field-flags.ts";
import type { GivenNames } from "./field-names.ts";
import type { LogFormat } from "./read-event-log.ts";
import { guessFormat, LOG_FORMATS, readEventLog } from "./read-event-log.ts";
import { replay } from "./replay.ts";
import { showReport } from "./show-report.ts";

const DEFAULTS = { node: "replay", concurrency: 512, eventsPerCall: 100, workers: 1 } as const;

/** More would only wait within the client. */
const MOST_CONCURRENCY = 10_000;

export const REPLAY: Command = {
  name: "replay",
  parameters: ["FILE"],
  about: `Sends an event log to the service, one session per case and one observation per event, then reads
every session back and compares. FILE is CSV with a header, or one JSON object per line. Events of a
case go in the order of their timestamps, those of one time in the order of the file.
With --learn each case then becomes a pattern of the node, which stays there (nobody else may learn
on that node meanwhile: it would look like a learn counted twice); with --predict the first cases are observed again, and what the patterns predict after each of their events is shown.
Exit code 1 when a session differs from what was sent, a learn was lost or counted twice, or a call
failed.`,
  flags: {
    ...targetFlags(DEFAULTS.workers),
    format: { value: LOG_FORMATS.join("|"), meaning: "of FILE, whatever its name" },
    ...FIELD_FLAGS,
    node: { value: "NAME", meaning: "node for the sessions", default: DEFAULTS.node },
    concurrency: {
      value: "N",
      meaning: "cases under way at once",
      default: String(DEFAULTS.concurrency),
    },
    "events-per-call": {
      value: "N",
      meaning: "events of a case that one call carries; 1: an observe each, as agents make them",
      default: String(DEFAULTS.eventsPerCall),
    },
    learn: { meaning: "learn each case as a pattern of the node" },
    predict: { value: "N", meaning: "with --learn: show predictions for the first N cases" },
    keep: { meaning: "do not delete the sessions afterwards" },
    json: JSON_FLAG,
  },
  examples: [
    "kato replay events.csv",
    "kato replay events.csv --store redis://127.0.0.1:6379 --workers 2",
    "kato replay events.csv --learn --predict 3",
    "kato replay events.jsonl --url http://127.0.0.1:8000 --keep --json",
    'kato replay events.csv --case "Order" --activity "Step" --timestamp "At"',
  ],
  async run({ flags, parameters, screen }) {
    const [path = ""] = parameters;
    const { target, log, ...options } = readOptions(flags, path);
    const report = await interruptible(async (aborted) => {
      const cases = await readEventLog(path, log);
      return withTarget(target, aborted, (url, signal) => {
        const show = (step: Step) => openProgress(screen.notes, step);
        return replay({ ...options, url, cases, signal, openProgress: show });
      });
    });
    if (flags["json"] === true) screen.result.line(JSON.stringify(report));
    else showReport(report, screen.result);
    return report.ok ? 0 : 1;
  },
};

/** More would scroll past. */
const MOST_PREDICTED = 1_000;

type CommandOptions = {
  target: Target;
  log: { format: LogFormat; names: GivenNames };
  nodeId: string;
  concurrency: number;
  eventsPerCall: number;
  learns: boolean;
  predicts: number;
  deletes: boolean;
};

/** @throws UsageError */
function readOptions(flags: Flags, path: string): CommandOptions {
  const target = readTarget(flags, DEFAULTS.workers);
  const isFileTemporary = target.url === undefined && target.store === undefined;
  const keeps = flags["keep"] === true;
  if (keeps && isFileTemporary) {
    throw new UsageError("--keep needs --url or --store: a temporary file is removed anyway");
  }
  const learns = flags["learn"] === true;
  const predicts = findCount(flags, "predict", MOST_PREDICTED);
  if (predicts !== undefined && !learns) {
    throw new UsageError("--predict needs --learn: without it the node has learned nothing");
  }
  return {
    target,
    log: { format: readFormat(flags, path), names: readNames(flags) },
    nodeId: findText(flags, "node") ?? DEFAULTS.node,
    concurrency: findCount(flags, "concurrency", MOST_CONCURRENCY) ?? DEFAULTS.concurrency,
    eventsPerCall:
      findCount(flags, "events-per-call", LIMITS.observationsPerSequence.max) ??
      DEFAULTS.eventsPerCall,
    learns,
    predicts: predicts ?? 0,
    deletes: !keeps && !isFileTemporary,
  };
}

function readFormat(flags: Flags, path: string): LogFormat {
  const text = findText(flags, "format");
  if (text === undefined) return guessFormat(path);
  const format = LOG_FORMATS.find((known) => known === text);
  if (format === undefined) {
    throw new UsageError(`--format ${JSON.stringify(text)}: expected ${LOG_FORMATS.join(" or ")}`);
  }
  return format;
}
