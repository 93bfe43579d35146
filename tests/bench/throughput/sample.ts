import type { GeneratorOptions } from "../../support/open-loop/load.ts";
import { load } from "../../support/open-loop/load.ts";
import type { Spread } from "../spread.ts";
import { spreadOf } from "../spread.ts";

/** What is put under load, by turns with others. */
export type Target = Omit<GeneratorOptions, "seconds">;

/** One target in one round. */
export type Sample = {
  observesPerSecond: number;
  /** Processor time of all processes of the server in µs per observe. */
  serverCpu: number;
  /** Likewise of Redis; null where there is none. */
  redisCpu: number | null;
  /** Of a request in ms, in the closed loop, as the generator saw it. */
  p50: number;
  p99: number;
  p999: number;
};

export type Figures = { [Name in keyof Sample]: Spread | (Sample[Name] & null) };

/** Else the generator, a new process each time, would be measured while it starts. */
export const WARM_UP_SECONDS = 0.5;

/** @throws Error when a call was not answered as it should be: there is no rate of refusals */
export async function takeSample(target: Target, seconds: number): Promise<Sample> {
  const report = await load({ ...target, seconds, warmUpSeconds: WARM_UP_SECONDS });
  const { cpuMs, latencies, made } = report;
  const { ok } = latencies;
  if (ok.count !== made || ok.count === 0) {
    const counts = Object.entries(latencies).map(([kind, { count }]) => `${count} ${kind}`);
    const failures = JSON.stringify(report.failures);
    throw new Error(`${target.url}: of ${made} observes ${counts.join(", ")} ${failures}`);
  }
  const perObserve = (ms: number | undefined) =>
    ms === undefined ? null : (ms * 1_000) / ok.count;
  return {
    observesPerSecond: ok.count / report.seconds,
    serverCpu: perObserve(cpuMs["server"]) ?? Number.NaN,
    redisCpu: perObserve(cpuMs["redis"]),
    p50: ok.p50 ?? Number.NaN,
    p99: ok.p99 ?? Number.NaN,
    p999: ok.p999 ?? Number.NaN,
  };
}

export function figuresOf(samples: readonly Sample[]): Figures {
  const spread = (name: Exclude<keyof Sample, "redisCpu">) =>
    spreadOf(samples.map((sample) => sample[name]));
  const redis = samples.flatMap(({ redisCpu }) => redisCpu ?? []);
  return {
    observesPerSecond: spread("observesPerSecond"),
    serverCpu: spread("serverCpu"),
    redisCpu: redis.length === 0 ? null : spreadOf(redis),
    p50: spread("p50"),
    p99: spread("p99"),
    p999: spread("p999"),
  };
}
