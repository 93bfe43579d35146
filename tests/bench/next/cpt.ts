import type { Method } from "@kato-rpc/server/cli/evaluate/predictor.ts";

/** Last events of a context that are looked for. */
const EVENTS_WANTED = 5;
/** Sequences that must vote before no more events are dropped. */
const LEAST_VOTES = 5;
/** How much the vote for an event counts by its nearness, beside the vote itself. */
const NEARNESS = 0.001;

/**
 * Compact prediction tree, read from Gueniche, Fournier-Viger, Raman and Tseng 2015, "CPT+: Decreasing the time/space complexity
 * of the compact prediction tree", and not compared with its authors' program: sequences that hold all of the last events
 * vote for what comes after them; where too few do, the rarest events of the context are dropped one after another. The
 * tree, which only saves room, is left out. Votes are shared out as probabilities. It knows no end.
 */
export const cptPlus: Method = ({ sequences, events }) => {
  const holders = Array.from({ length: events }, () => new Set<number>());
  for (const [index, sequence] of sequences.entries()) {
    for (const event of sequence) holders[event]?.add(index);
  }
  const support = (event: number): number => holders[event]?.size ?? 0;

  const vote = (wanted: readonly number[], votes: Float64Array): number => {
    const [rarest, ...others] = wanted.toSorted((a, b) => support(a) - support(b));
    if (rarest === undefined) return 0;
    const alike = [...(holders[rarest] ?? [])].filter((index) =>
      others.every((event) => holders[event]?.has(index)),
    );
    let cast = 0;
    for (const index of alike) {
      const sequence = sequences[index] ?? [];
      const last = Math.max(...wanted.map((event) => sequence.indexOf(event)));
      for (let at = last + 1; at < sequence.length; at += 1) {
        const event = sequence[at] ?? 0;
        if (wanted.includes(event)) continue;
        votes[event] = (votes[event] ?? 0) + 1 / alike.length + NEARNESS / (at - last);
        cast += 1;
      }
    }
    return cast;
  };

  return {
    predict(context) {
      const votes = new Float64Array(events + 2);
      const known = context.filter((event) => event < events).slice(-EVENTS_WANTED);
      let wanted = [...new Set(known)];
      let cast = 0;
      while (wanted.length > 0 && cast < LEAST_VOTES) {
        cast += vote(wanted, votes);
        const rarest = wanted.reduce((a, b) => (support(b) < support(a) ? b : a), wanted[0] ?? 0);
        wanted = wanted.filter((event) => event !== rarest);
      }
      const sum = votes.reduce((total, each) => total + each, 0);
      return votes.map((each) => (sum === 0 ? 0 : each / sum) * 0.99 + 0.01 / votes.length);
    },
  };
};
