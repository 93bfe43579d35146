import type { NodeHistory } from "./check-frequencies.ts";
import type { Finding } from "./finding.ts";

/** What sums up in a distribution does so but for rounding. */
const ROUNDING = 1e-9;

/**
 * Whether what a node told of the next event adds up, and whether none was told that nothing was learned when a learn
 * had been acknowledged before.
 */
export function checkDistributions({ node, learns, calls }: NodeHistory): Finding[] {
  const findings: Finding[] = [];
  const firstKnown = Math.min(Infinity, ...learns.map(({ latest }) => latest));
  for (const call of calls) {
    if (call.kind !== "next" || call.outcome !== "ok") continue;
    const { deviation, empty } = call.reply;
    if (!(deviation <= ROUNDING)) {
      const message = `a distribution is ${deviation} off what it must add up to`;
      findings.push({ subject: node, rule: "broken-distribution", message, calls: [call] });
    }
    if (empty === "NO_PATTERNS" && firstKnown < call.startedAt) {
      const message = "told that there are no patterns, though one was learned before";
      findings.push({ subject: node, rule: "stale-prediction", message, calls: [call] });
    }
  }
  return findings;
}
