import type { NodeHistory } from "./check-frequencies.ts";
import type { Finding, NodeRule } from "./finding.ts";
import type { NodeContents } from "./node-contents.ts";
import type { SessionCall } from "./session-call.ts";

/**
 * Whether a node holds what was learned: every acknowledged learn counted once; beyond them at most one for each learn
 * that calls without a reply may have made, of events that their sessions had observed.
 */
export function checkLearned(history: NodeHistory, contents: NodeContents): Finding[] {
  const { node, learns, chances, calls } = history;
  const findings: Finding[] = [];
  const find = (rule: NodeRule, message: string, calls: readonly SessionCall[] = []) =>
    findings.push({ subject: node, rule, message, calls });

  const acknowledged = Map.groupBy(learns, ({ name }) => name);
  const kept = new Map(contents.patterns.map((pattern) => [pattern.name, pattern]));
  const observed = eventsBySession(calls);
  let unexplained = 0;
  for (const [name, ofName] of acknowledged) {
    const frequency = kept.get(name)?.frequency ?? 0;
    if (frequency >= ofName.length) continue;
    const message = `${name} learned ${ofName.length} times, kept ${frequency}`;
    find(
      "lost-learn",
      message,
      ofName.flatMap((learn) => learn.calls),
    );
  }
  for (const { name, frequency, events } of contents.patterns) {
    const known = acknowledged.get(name)?.length ?? 0;
    const excess = Math.max(0, frequency - known);
    unexplained += excess;
    const fitting = chances.filter(({ session }) => {
      const ofSession = observed.get(session);
      return events.every((event) => ofSession?.has(JSON.stringify(event)));
    });
    const possible = fitting.reduce((total, { most }) => total + most, 0);
    if (excess <= possible) continue;
    const rule = known === 0 && possible === 0 ? "stranger-pattern" : "doubled-learn";
    find(rule, `${name} kept ${frequency} times, learned ${known} and perhaps ${possible} more`);
  }
  const most = chances.reduce((total, chance) => total + chance.most, 0);
  if (unexplained > most && findings.length === 0) {
    find("doubled-learn", `${unexplained} learns nobody acknowledged, where ${most} may have been`);
  }
  return findings;
}

function eventsBySession(calls: readonly SessionCall[]): Map<string, Set<string>> {
  const sessions = new Map<string, Set<string>>();
  for (const call of calls) {
    const events =
      call.kind === "observe" ? [call.event] : call.kind === "sequence" ? call.events : [];
    const known = sessions.get(call.session) ?? new Set();
    for (const event of events) known.add(JSON.stringify(event));
    sessions.set(call.session, known);
  }
  return sessions;
}
