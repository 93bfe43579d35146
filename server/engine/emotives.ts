import type { Emotives } from "@kato-rpc/shared/observation.ts";

/** Most patterns have none, and objects without prototype are slow to make and to write as JSON. It never gets a key. */
export const NO_EMOTIVES: Emotives = Object.freeze({});

/**
 * engine.md §7.3: per emotive, the arithmetic mean over the maps that have it; maps without it do not count as zero. No maps, no
 * emotives. The result has no prototype, since callers name emotives and may choose `__proto__`.
 */
export function averageEmotives(maps: readonly Emotives[]): Emotives {
  if (maps.length === 0) return NO_EMOTIVES;
  const valuesByName = new Map<string, number[]>();
  for (const map of maps) {
    for (const [name, value] of Object.entries(map)) {
      const values = valuesByName.get(name);
      if (values === undefined) valuesByName.set(name, [value]);
      else values.push(value);
    }
  }

  const averages: Emotives = Object.create(null);
  for (const [name, values] of valuesByName) averages[name] = mean(values);
  return averages;
}

function mean(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  return Number.isFinite(sum) ? sum / values.length : runningMean(values);
}

/** Less exact than one division, but finite wherever the values are: the way out when their sum overflows. */
function runningMean(values: readonly number[]): number {
  let average = 0;
  for (const [index, value] of values.entries()) {
    const count = index + 1;
    average += value / count - average / count;
  }
  return average;
}
