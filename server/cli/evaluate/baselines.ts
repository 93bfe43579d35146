import type { SeenContext } from "./context-counts.ts";
import { NgramCounts } from "./context-counts.ts";
import type { Method } from "./predictor.ts";

/** What a method that gives 0 to all it has not seen leaves to the uniform distribution, so that its log loss is finite. */
const UNIFORM_SHARE = 0.01;

/** How often each outcome is there at all, whatever came before. */
const mostFrequent: Method = backOff(0);

/** Relative frequencies after the longest of at most `longest` events that was seen (n-gram of n = `longest` + 1). */
function backOff(longest: number): Method {
  return (training) => {
    const counts = new NgramCounts(training, longest);
    return {
      predict(context) {
        const seen = counts.contextsOf(context).at(-1);
        return withUniform(relativeFrequencies(seen, counts.outcomeCount));
      },
    };
  };
}

/**
 * The models of all orders at once: the average of the relative frequencies after each of 1 to `longest` events that was
 * seen, each weighted by its length. After Pitkow and Pirolli 1999, "Mining longest repeating subsequences to predict
 * World Wide Web surfing", who take the longest only; that is `backOff`.
 */
function allOrders(longest: number): Method {
  return (training) => {
    const counts = new NgramCounts(training, longest);
    return {
      predict(context) {
        const sum = new Float64Array(counts.outcomeCount);
        let weights = 0;
        for (const [length, seen] of counts.contextsOf(context).entries()) {
          if (length === 0) continue;
          weights += length;
          for (const [outcome, count] of seen.outcomes) {
            sum[outcome] = (sum[outcome] ?? 0) + (length * count) / seen.total;
          }
        }
        if (weights === 0) {
          const [whatever] = counts.contextsOf([]);
          return withUniform(relativeFrequencies(whatever, counts.outcomeCount));
        }
        return withUniform(sum.map((each) => each / weights));
      },
    };
  };
}

/** Each order interpolated with the shorter one by distinct outcomes: Witten and Bell 1991, method C, as in Chen and Goodman 1998, TR-10-98 §2.5. */
function wittenBell(longest: number): Method {
  return (training) => {
    const counts = new NgramCounts(training, longest);
    return {
      predict(context) {
        const current = new Float64Array(counts.outcomeCount).fill(1 / counts.outcomeCount);
        for (const { outcomes, total } of counts.contextsOf(context)) {
          const distinct = outcomes.size;
          for (let outcome = 0; outcome < current.length; outcome += 1) {
            current[outcome] = (distinct * (current[outcome] ?? 0)) / (total + distinct);
          }
          for (const [outcome, count] of outcomes) {
            current[outcome] = (current[outcome] ?? 0) + count / (total + distinct);
          }
        }
        return current;
      },
    };
  };
}

/** PPM with escape method C and exclusion: Moffat 1990, "Implementing the PPM data compression scheme". */
function ppm(longest: number): Method {
  return (training) => {
    const counts = new NgramCounts(training, longest);
    return {
      predict(context) {
        const result = new Float64Array(counts.outcomeCount);
        const excluded = new Set<number>();
        let left = 1;
        for (const { outcomes } of counts.contextsOf(context).toReversed()) {
          const fresh = [...outcomes].filter(([outcome]) => !excluded.has(outcome));
          if (fresh.length === 0) continue;
          const total = fresh.reduce((sum, [, count]) => sum + count, 0);
          const scale = left / (total + fresh.length);
          for (const [outcome, count] of fresh) {
            result[outcome] = count * scale;
            excluded.add(outcome);
          }
          left = fresh.length * scale;
        }
        const unseen = counts.outcomeCount - excluded.size;
        for (let outcome = 0; outcome < result.length; outcome += 1) {
          if (result[outcome] === 0) result[outcome] = left / unseen;
        }
        return result;
      },
    };
  };
}

function relativeFrequencies(seen: SeenContext | undefined, outcomeCount: number): Float64Array {
  const result = new Float64Array(outcomeCount);
  if (seen === undefined) return result.fill(1 / outcomeCount);
  for (const [outcome, count] of seen.outcomes) result[outcome] = count / seen.total;
  return result;
}

function withUniform(distribution: Float64Array): Float64Array {
  const uniform = UNIFORM_SHARE / distribution.length;
  for (let outcome = 0; outcome < distribution.length; outcome += 1) {
    distribution[outcome] = (1 - UNIFORM_SHARE) * (distribution[outcome] ?? 0) + uniform;
  }
  return distribution;
}

/** What predictions of the node are compared with, by name. */
export const BASELINES: Readonly<Record<string, Method>> = {
  "most frequent": mostFrequent,
  "back-off 2-gram": backOff(1),
  "back-off 3-gram": backOff(2),
  "back-off 4-gram": backOff(3),
  "back-off 5-gram": backOff(4),
  "all orders 5": allOrders(5),
  "PPM-C 3": ppm(3),
  "PPM-C 5": ppm(5),
  "Witten-Bell 1": wittenBell(1),
  "Witten-Bell 2": wittenBell(2),
  "Witten-Bell 3": wittenBell(3),
  "Witten-Bell 4": wittenBell(4),
  "Witten-Bell 5": wittenBell(5),
};
