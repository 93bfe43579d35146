/**
 * `npm run bench:compare -- REV1 REV2`: two revisions of the service under the load of this one's harness, by turns in
 * every round. A revision is a commit, or a directory with the sources; `.` is the working tree.
 */
import { parseArgs } from "node:util";
import { RUN_DIRECTORY_VARIABLE } from "../support/run-directory.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import type { Comparison } from "./throughput/compare-revisions.ts";
import { compareRevisions, formatComparison } from "./throughput/compare-revisions.ts";
import type { WayName } from "./throughput/service-target.ts";
import { isWayName, WAYS } from "./throughput/service-target.ts";

const USAGE = `usage: npm run bench:compare -- REV1 REV2 [--rounds 5] [--seconds 1.5] [--store redis|sqlite] [--workers 1] [--way NAME]… [--json]
ways: ${Object.keys(WAYS).join(" · ")}`;
const USUAL_WAYS: WayName[] = ["unbatched", "batches of 50", "sequences of 50"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "1.5" },
    store: { type: "string", default: "redis" },
    workers: { type: "string", default: "1" },
    way: { type: "string", multiple: true, default: USUAL_WAYS },
    json: { type: "boolean", default: false },
  },
});
const [before, after, ...rest] = positionals;
const ways = values.way.filter(isWayName);
const isKnown = ways.length === values.way.length && /^(redis|sqlite)$/.test(values.store);
if (before === undefined || after === undefined || rest.length > 0 || !isKnown) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(2);
}

await using runDirectory = await makeTemporaryDirectory();
process.env[RUN_DIRECTORY_VARIABLE] ??= runDirectory.path;

const comparison: Comparison = await compareRevisions([before, after], {
  ways,
  store: values.store === "sqlite" ? "sqlite" : "redis",
  workers: Number(values.workers),
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  onRound: (round) => process.stderr.write(`round ${round + 1} of ${values.rounds}\n`),
});
process.stdout.write(
  values.json ? `${JSON.stringify(comparison)}\n` : `${formatComparison(comparison)}\n`,
);
