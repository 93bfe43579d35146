import type { LeftOut } from "./leave-one-out.ts";
import { leaveOneOut } from "./leave-one-out.ts";
import type { NextEvidence } from "./next-evidence.ts";

/** Odds that a context is enough, before anything is known of it. */
const STOP_PRIOR = 0.7;

const NOTHING: LeftOut = { wittenBell: 0, pitmanYor: 0 };

/** Shares of what stops at one length, for each way to tell from the counts. */
export interface StopWeight {
  wittenBell: number;
  pitmanYor: number;
}

export interface StopWeights {
  /** By length of the present's contexts, from 1 on. */
  stops: StopWeight[];
  /** Share of the whole chain, which goes on where the longest context has branches alone. */
  whole: number;
}

/**
 * How much each length of context counts: context tree weighting along the present (Willems, Shtarkov and Tjalkens 1995,
 * "The context-tree weighting method: basic properties"), with a = `STOP_PRIOR` and, for each way e of telling what
 * follows context s from its counts,
 *
 *     L_e(s) = Σ n(x) · log₂ p_e(x | s, one of it left out)
 *     W_e(s) = log₂( a · 2^L_e(s) + (1 − a) · 2^G(s) )
 *     G(s)   = log₂ Σ_e ½ · 2^( W_e(the present's longer context) + Σ L_e(branches of s) )
 *     G(s)   = L_PitmanYor(s)       where no context is longer: the chain goes on with that
 *
 * where W_e of a longer context that was never seen is 0, as is a sum over no branches; so contexts that are longer by an event are told all in one way, or in both by what suits all that they saw. Of the tree no
 * more is looked at than the present's contexts and their branches, the contexts that are longer by another event.
 * Leaving out stands for the probability of all that was seen as in Yao, Vehtari, Simpson and Gelman 2018, "Using
 * stacking to average Bayesian predictive distributions" (pseudo-BMA). `base` is by candidate the probability where
 * nothing is known of the present.
 */
export function weighStops(evidence: NextEvidence, base: Float64Array): StopWeights {
  const { own, branches } = leaveOneOut(evidence, base);
  const goes: LeftOut[] = own.map(() => NOTHING);
  const weighted: LeftOut[] = own.map(() => NOTHING);
  const stopping: LeftOut[] = own.map(() => NOTHING);
  for (let i = own.length - 1; i >= 0; i -= 1) {
    const alone = own[i] ?? NOTHING;
    const longer = weighted[i + 1] ?? NOTHING;
    const beside = branches[i] ?? NOTHING;
    const go = byWay((way) => beside[way] + longer[way]);
    goes[i] = go;
    const isLongest = branches[i] === undefined && i === own.length - 1;
    const goesOn = isLongest ? alone.pitmanYor : mix(0.5, [go.wittenBell, go.pitmanYor]);
    weighted[i] = byWay((way) => mix(STOP_PRIOR, [alone[way], goesOn]));
    stopping[i] = byWay((way) => shareOf(STOP_PRIOR, [alone[way], goesOn]));
  }

  let whole = 1;
  let likely = weighted[0] ?? NOTHING;
  const stops = stopping.map((odds, i): StopWeight => {
    const { wittenBell, pitmanYor } = likely;
    likely = goes[i] ?? NOTHING;
    const stop = {
      wittenBell: whole * shareOf(0.5, [wittenBell, pitmanYor]) * odds.wittenBell,
      pitmanYor: whole * shareOf(0.5, [pitmanYor, wittenBell]) * odds.pitmanYor,
    };
    whole = Math.max(0, whole - stop.wittenBell - stop.pitmanYor);
    return stop;
  });
  return { stops, whole };
}

function byWay(valueOf: (way: keyof LeftOut) => number): LeftOut {
  return { wittenBell: valueOf("wittenBell"), pitmanYor: valueOf("pitmanYor") };
}

/** log₂( share · 2^a + (1 − share) · 2^b ). */
function mix(share: number, [a, b]: readonly [number, number]): number {
  const most = Math.max(a, b);
  return most + Math.log2(share * 2 ** (a - most) + (1 - share) * 2 ** (b - most));
}

/** Part of the first in that mix. No more than 1 however many bits there are, which their differences would be. */
function shareOf(share: number, [a, b]: readonly [number, number]): number {
  return share / (share + (1 - share) * 2 ** (b - a));
}
