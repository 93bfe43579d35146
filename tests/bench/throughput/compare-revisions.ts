import type { StoreKind } from "../../support/service.ts";
import { startService } from "../../support/service.ts";
import type { Spread } from "../spread.ts";
import { formatCount, formatTable } from "../measure.ts";
import { spreadOf } from "../spread.ts";
import { openRevision } from "../revision.ts";
import { openBenchStore } from "./bench-store.ts";
import type { Figures, Sample, Target } from "./sample.ts";
import { figuresOf, takeSample } from "./sample.ts";
import type { WayName } from "./service-target.ts";
import { openServiceTarget, WAYS } from "./service-target.ts";

export type ComparisonOptions = {
  ways: readonly WayName[];
  store: StoreKind;
  workers: number;
  rounds: number;
  seconds: number;
  onRound?: (round: number) => void;
};

type Measured = "serverCpu" | "redisCpu" | "observesPerSecond" | "p50" | "p99";

/** Of one way of load: the figures of both revisions, and the second's to the first's, round by round. */
export type ComparedWay = {
  way: WayName;
  figures: [Figures, Figures];
  ratios: Record<Measured, Spread | null>;
};

export type Comparison = { revisions: [string, string]; ways: ComparedWay[] };

const WARM_UP_SECONDS = 1;

/** Each revision on a service and store of its own. */
export async function compareRevisions(
  revisions: [string, string],
  options: ComparisonOptions,
): Promise<Comparison> {
  await using before = await openRevisionTargets(revisions[0], options);
  await using after = await openRevisionTargets(revisions[1], options);
  const samples = options.ways.map((): [Sample[], Sample[]] => [[], []]);
  for (let round = 0; round < options.rounds; round++) {
    options.onRound?.(round);
    for (const [i, pair] of samples.entries()) {
      // Whichever goes first meets the processor as another way has left it.
      const order = round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
      for (const which of order) {
        const target = [before, after][which]?.targets[i];
        if (target !== undefined) pair[which].push(await takeSample(target, options.seconds));
      }
    }
  }
  return {
    revisions,
    ways: samples.map((pair, i) => comparedWay(options.ways[i] ?? "unbatched", pair)),
  };
}

async function openRevisionTargets(
  name: string,
  { ways, store: kind, workers }: ComparisonOptions,
): Promise<{ targets: Target[] } & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  try {
    const { cli } = stack.use(await openRevision(name));
    const store = stack.use(await openBenchStore(kind));
    const service = stack.use(await startService({ store: store.url, workers, cli }));
    const targets: Target[] = [];
    for (const way of ways) {
      const target = await openServiceTarget(service, { way: WAYS[way], redis: store.redisPid });
      await takeSample(target, WARM_UP_SECONDS);
      targets.push(target);
    }
    return { targets, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function comparedWay(way: WayName, [before, after]: [Sample[], Sample[]]): ComparedWay {
  const ratioOf = (name: Measured): Spread | null => {
    const ratios = after.map((sample, i) => Number(sample[name]) / Number(before[i]?.[name]));
    return ratios.some((ratio) => !Number.isFinite(ratio)) ? null : spreadOf(ratios);
  };
  return {
    way,
    figures: [figuresOf(before), figuresOf(after)],
    ratios: {
      serverCpu: ratioOf("serverCpu"),
      redisCpu: ratioOf("redisCpu"),
      observesPerSecond: ratioOf("observesPerSecond"),
      p50: ratioOf("p50"),
      p99: ratioOf("p99"),
    },
  };
}

/** What to look at first on a machine with other things to do: processor time. */
const ROWS: [Measured, string, (value: number) => string][] = [
  ["serverCpu", "server µs/observe", (value) => value.toFixed(1)],
  ["redisCpu", "Redis µs/observe", (value) => value.toFixed(1)],
  ["observesPerSecond", "observes/s", formatCount],
  ["p50", "p50 ms", (value) => value.toFixed(2)],
  ["p99", "p99 ms", (value) => value.toFixed(2)],
];

export function formatComparison({ revisions, ways }: Comparison): string {
  const rows = ways.flatMap(({ way, figures, ratios }) =>
    ROWS.flatMap(([name, title, format]) => {
      const ratio = ratios[name];
      if (ratio === null) return [];
      const cells = figures.map((of) => formatSpread(of[name], format));
      return [[way, title, ...cells, formatSpread(ratio, (value) => value.toFixed(3))]];
    }),
  );
  const header = ["", "median (least–most)", ...revisions, "ratio"];
  return formatTable(header, rows);
}

function formatSpread(spread: Spread | null, format: (value: number) => string): string {
  if (spread === null) return "–";
  return `${format(spread.median)} (${format(spread.least)}–${format(spread.most)})`;
}
