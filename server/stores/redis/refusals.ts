/** Replies of Redis that say "not now" rather than "this is wrong". */
const TEMPORARY =
  /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|OOM|MISCONF|NOREPLICAS|NOAUTH|WRONGPASS|NOPERM|MOVED|ASK|UNBLOCKED|TOOOLD|ERR max number of clients|ERR ACL failure|ERR The user executing the script)/;

/** Begins the reply of a script to a user who lacks commands; their names follow. */
export const MAY_NOT_RUN = "NOPERM this user may not run ";

/** What is wrong where somebody has to mend it. */
const REASONS: readonly [reply: RegExp, reason: string][] = [
  [
    /^OOM/,
    "Redis is out of memory: reads and deletions go on, writes do when sessions end or its maxmemory is raised",
  ],
  [/^MISCONF/, "Redis cannot write to its disk: writes go on when there is space again"],
  [/^(NOAUTH|WRONGPASS)/, "Redis does not accept the user or password in KATO_STORE"],
  [
    /^(NOPERM|ERR ACL failure|ERR The user executing the script)/,
    "Redis does not permit the user in KATO_STORE what it must do",
  ],
  [/^TOOOLD/, "Redis is older than version 7, which this service needs"],
];

export function isTemporary(reply: string): boolean {
  return TEMPORARY.test(reply);
}

/** undefined for what passes by itself. */
export function reasonOfRefusal(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // What a Cluster's client reports when none of its nodes took it.
  if ("lastNodeError" in error) return reasonOfRefusal(error.lastNodeError);
  const reason = REASONS.find(([reply]) => reply.test(error.message))?.[1];
  if (!error.message.startsWith(MAY_NOT_RUN)) return reason;
  return `${reason}: ${error.message.slice(MAY_NOT_RUN.length)}`;
}
