import { findDeeds } from "./deeds.ts";
import type { Deed } from "./deeds.ts";
import type { SessionCall } from "./session-call.ts";

/** A learn that was acknowledged; happened within [earliest, latest]. */
export interface Learn {
  readonly node: string;
  readonly name: string;
  readonly earliest: number;
  readonly latest: number;
  /** The pattern's frequency with this learn, where the reply told it. */
  readonly frequency: number | undefined;
  readonly calls: readonly SessionCall[];
}

/** A call without a reply that may have learned, at most `most` times, what its session may have held. */
export interface Chance {
  readonly node: string;
  readonly session: string;
  readonly earliest: number;
  readonly most: number;
}

export function findLearns(calls: readonly SessionCall[]): { learns: Learn[]; chances: Chance[] } {
  const learns: Learn[] = [];
  const chances: Chance[] = [];
  for (const ofOne of Map.groupBy(calls, ({ session }) => session).values()) {
    const learnsByItself = ofOne.some(mayTurnOnLearning);
    for (const deed of findDeeds(ofOne).deeds) {
      learns.push(...learnsOf(deed));
      const most = deed.latest === Infinity ? mostLearns(deed.call, learnsByItself) : 0;
      const { session, node } = deed.call;
      if (most > 0) chances.push({ node, session, earliest: deed.earliest, most });
    }
  }
  return { learns, chances };
}

function learnsOf({ call, calls, earliest, latest }: Deed): Learn[] {
  return namesLearned(call).map((name) => {
    const frequency =
      call.kind === "learn" && call.outcome === "ok" ? call.reply.frequency : undefined;
    return { node: call.node, name, earliest, latest, frequency, calls };
  });
}

function namesLearned(call: SessionCall): string[] {
  if (call.outcome !== "ok") return [];
  switch (call.kind) {
    case "learn":
    case "observe":
      return call.reply.learned === null ? [] : [call.reply.learned];
    case "sequence":
      return [...call.reply.learned];
    default:
      return [];
  }
}

function mostLearns(call: SessionCall, learnsByItself: boolean): number {
  switch (call.kind) {
    case "learn":
      return 1;
    case "observe":
      return learnsByItself ? 1 : 0;
    case "sequence": {
      const each = (call.learnAfterEach ? 1 : 0) + (learnsByItself ? 1 : 0);
      return call.events.length * each + (call.learnAtEnd ? 1 : 0);
    }
    default:
      return 0;
  }
}

function mayTurnOnLearning(call: SessionCall): boolean {
  if (call.kind === "create") return (call.config.maxPatternLength ?? 0) > 0;
  return call.kind === "configure" && (call.patch.maxPatternLength ?? 0) > 0;
}
