import { checkDistributions } from "./check-distributions.ts";
import { checkFrequencies } from "./check-frequencies.ts";
import { checkLearned } from "./check-learned.ts";
import type { SessionCheckOptions } from "./check-sessions.ts";
import { checkSessions } from "./check-sessions.ts";
import { checkStatistics } from "./check-statistics.ts";
import type { Finding } from "./finding.ts";
import { findLearns } from "./learns.ts";
import type { NodeContents } from "./node-contents.ts";
import type { SessionCall } from "./session-call.ts";

/**
 * Checks all sessions, and the nodes as they were read after the last call. `calls` must hold every call made on these
 * nodes' sessions; patterns are neither corrected nor forgotten.
 */
export function checkAll(
  calls: readonly SessionCall[],
  nodes: readonly NodeContents[],
  options: SessionCheckOptions = {},
): Finding[] {
  return [
    ...checkSessions(calls, options),
    ...nodes.flatMap((contents) => checkNode(calls, contents)),
  ];
}

/** Whether a node holds what its sessions learned, told it truly on the way, and counts it rightly. */
export function checkNode(calls: readonly SessionCall[], contents: NodeContents): Finding[] {
  const node = contents.nodeId;
  const ofNode = calls.filter((call) => call.node === node);
  const history = { node, calls: ofNode, ...findLearns(ofNode) };
  return [
    ...checkLearned(history, contents),
    ...checkFrequencies(history),
    ...checkDistributions(history),
    ...checkStatistics(contents),
  ];
}
