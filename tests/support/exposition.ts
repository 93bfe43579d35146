/** Samples of a Prometheus text by name and labels as they stand there: `calls_total{outcome="ok"}`. */
export type Samples = Map<string, number>;

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[^}]*\})? (-?[0-9.e+-]+|[+-]Inf|NaN)$/;
const LABELS = /^\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)+\}$/;

/**
 * Reads the text format 0.0.4 and holds it to its rules: HELP and TYPE once for each metric and
 * before its samples, samples of a metric together, none twice, counters never negative, buckets of
 * a histogram cumulative up to `+Inf`, which equals its count.
 *
 * @throws Error that names the first line which breaks a rule
 */
export function readExposition(text: string): Samples {
  if (!text.endsWith("\n")) throw new Error("the text does not end with a line feed");
  const samples: Samples = new Map();
  const types = new Map<string, string>();
  let current = "";
  for (const line of text.split("\n")) {
    const [, keyword, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (keyword === "HELP") {
      if (types.has(name)) throw new Error(`a second HELP: ${line}`);
      current = name;
      types.set(name, "untyped");
    } else if (keyword === "TYPE") {
      if (name !== current || types.get(name) !== "untyped")
        throw new Error(`out of place: ${line}`);
      types.set(name, rest);
    } else if (line !== "" && !line.startsWith("#")) {
      addSample(line, samples, { metric: current, type: types.get(current) });
    }
  }
  for (const [name, type] of types) if (type === "histogram") checkBuckets(name, samples);
  return samples;
}

function addSample(
  line: string,
  samples: Samples,
  { metric, type }: { metric: string; type: string | undefined },
): void {
  const [, name = "", labels = "", value = ""] = SAMPLE.exec(line) ?? [];
  const suffixes = type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  if (!suffixes.some((suffix) => name === metric + suffix)) throw new Error(`misplaced: ${line}`);
  if (labels !== "" && !LABELS.test(labels)) throw new Error(`labels: ${line}`);
  if (samples.has(name + labels)) throw new Error(`a second time: ${line}`);
  if (type !== "gauge" && !(Number(value) >= 0)) throw new Error(`negative: ${line}`);
  samples.set(name + labels, Number(value));
}

function checkBuckets(name: string, samples: Samples): void {
  const series = new Map<string, [bound: number, count: number][]>();
  for (const [key, count] of samples) {
    if (!key.startsWith(`${name}_bucket{`)) continue;
    const labels = key.slice(name.length + "_bucket".length);
    const bound = /le="([^"]*)"/.exec(labels)?.[1] ?? "";
    const others = labels.replace(/,?le="[^"]*",?/, "").replace("{}", "");
    const buckets = series.get(others) ?? [];
    buckets.push([bound === "+Inf" ? Number.POSITIVE_INFINITY : Number(bound), count]);
    series.set(others, buckets);
  }
  for (const [labels, buckets] of series) {
    buckets.sort(([a], [b]) => a - b);
    const counts = buckets.map(([, count]) => count);
    if (counts.some((count, i) => i > 0 && count < counts[i - 1]!))
      throw new Error(`buckets of ${name}${labels} are not cumulative: ${counts.join(" ")}`);
    if (buckets.at(-1)?.[0] !== Number.POSITIVE_INFINITY)
      throw new Error(`${name}${labels} has no bucket +Inf`);
    if (counts.at(-1) !== samples.get(`${name}_count${labels}`))
      throw new Error(`the count of ${name}${labels} is not that of its bucket +Inf`);
  }
}
