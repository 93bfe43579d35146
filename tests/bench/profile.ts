/**
 * `npm run bench:profile`: where a worker's processor time goes under one way of load: by part of the program, and the
 * functions that take most themselves. `--store redis|sqlite`, `--way NAME` (as in `npm run bench:compare`), `--seconds`,
 * `--top`. Profiling takes some time itself, most of it from what is called often.
 */
import { parseArgs } from "node:util";
import { RUN_DIRECTORY_VARIABLE } from "../support/run-directory.ts";
import { startService } from "../support/service.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";
import { formatTable } from "./measure.ts";
import type { ProfileRow } from "./profile/cpu-profile.ts";
import { readBusiestProfile, shareBy, functionOf, partOf } from "./profile/cpu-profile.ts";
import { openBenchStore } from "./throughput/bench-store.ts";
import { takeSample } from "./throughput/sample.ts";
import { isWayName, openServiceTarget, WAYS } from "./throughput/service-target.ts";

const INTERVAL_US = 200;
const WARM_UP_SECONDS = 1;

const { values } = parseArgs({
  options: {
    store: { type: "string", default: "redis" },
    way: { type: "string", default: "unbatched" },
    seconds: { type: "string", default: "5" },
    top: { type: "string", default: "25" },
  },
});
const { way } = values;
const store = values.store === "sqlite" ? "sqlite" : "redis";
if (!isWayName(way)) throw new Error(`no way ${way}; there are ${Object.keys(WAYS).join(", ")}`);

await using runDirectory = await makeTemporaryDirectory();
process.env[RUN_DIRECTORY_VARIABLE] ??= runDirectory.path;
await using directory = await makeTemporaryDirectory();
{
  await using benchStore = await openBenchStore(store);
  const flags = ["--cpu-prof", `--cpu-prof-interval=${INTERVAL_US}`];
  await using service = await startService({
    store: benchStore.url,
    env: { NODE_OPTIONS: [...flags, `--cpu-prof-dir=${directory.path}`].join(" ") },
  });
  const target = await openServiceTarget(service, { way: WAYS[way], redis: benchStore.redisPid });
  await takeSample(target, WARM_UP_SECONDS);
  await takeSample(target, Number(values.seconds));
}
const profile = await readBusiestProfile(directory.path);

function format(title: string, rows: readonly ProfileRow[]): string {
  return formatTable(
    ["%", title],
    rows.map(({ name, share }) => [(share * 100).toFixed(1), name]),
  );
}

process.stdout.write(`observe on ${store}, ${way}\n\n`);
process.stdout.write(`${format("part", shareBy(profile, partOf).slice(0, 14))}\n\n`);
const functions = shareBy(profile, functionOf).slice(0, Number(values.top));
process.stdout.write(`${format("function", functions)}\n`);
