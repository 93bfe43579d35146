import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What V8 writes with `--cpu-prof`, as far as it is read here. Times in µs. */
export type CpuProfile = {
  nodes: { id: number; callFrame: CallFrame }[];
  samples: number[];
  timeDeltas: number[];
};

export type CallFrame = { functionName: string; url: string; lineNumber: number };

/** `share`: of the time in which the thread was not idle. */
export type ProfileRow = { name: string; share: number };

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const IDLE = "(idle)";

/** Of those in the directory the one of the thread that worked most: the worker's. */
export async function readBusiestProfile(directory: string): Promise<CpuProfile> {
  const files = (await readdir(directory)).filter((file) => file.endsWith(".cpuprofile"));
  const profiles = await Promise.all(
    files.map(async (file) => {
      const profile = JSON.parse(await readFile(join(directory, file), "utf8")) as CpuProfile;
      return { profile, busy: sum(busyTimes(profile)) };
    }),
  );
  const [busiest] = profiles.toSorted((a, b) => b.busy - a.busy);
  if (busiest === undefined) throw new Error("no process has left a profile");
  return busiest.profile;
}

/** Time by itself, largest share first, of all that `nameOf` calls the same. */
export function shareBy(profile: CpuProfile, nameOf: (frame: CallFrame) => string): ProfileRow[] {
  const times = new Map<string, number>();
  for (const [frame, time] of busyTimes(profile)) {
    const name = nameOf(frame);
    times.set(name, (times.get(name) ?? 0) + time);
  }
  const total = sum(times);
  return Array.from(times, ([name, time]) => ({ name, share: time / total })).toSorted(
    (a, b) => b.share - a.share,
  );
}

function busyTimes({ nodes, samples, timeDeltas }: CpuProfile): Map<CallFrame, number> {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map<CallFrame, number>();
  for (const [i, id] of samples.entries()) {
    const frame = frames.get(id);
    if (frame === undefined || frame.functionName === IDLE) continue;
    times.set(frame, (times.get(frame) ?? 0) + (timeDeltas[i] ?? 0));
  }
  return times;
}

function sum(times: ReadonlyMap<unknown, number>): number {
  return [...times.values()].reduce((total, time) => total + time, 0);
}

/** Such as `commit server/sessions/session-committer.ts`. */
export function functionOf({ functionName, url }: CallFrame): string {
  return `${functionName === "" ? "(anonymous)" : functionName} ${placeOf(url)}`.trim();
}

/** A folder of the service, a package, a module of Node, or what V8 does by itself. */
export function partOf({ functionName, url }: CallFrame): string {
  const place = placeOf(url);
  if (place === "") return functionName === "" ? "(native)" : functionName;
  return /^(?:node:[^/]+|(?:[^/]+\/)?[^/]+)/.exec(place)?.[0] ?? place;
}

/** Within the repository, or within node_modules. */
function placeOf(url: string): string {
  const path = url.startsWith("file:") ? fileURLToPath(url) : url;
  const inRepository = path.startsWith(ROOT) ? path.slice(ROOT.length) : path;
  const [, inPackage] = /.*node_modules\/(.*)/.exec(inRepository) ?? [];
  return inPackage ?? inRepository;
}
