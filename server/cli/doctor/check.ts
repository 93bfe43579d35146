export type CheckStatus = "ok" | "warn" | "fail";

/** One thing looked at: what was found and, unless it is as it should be, what to do. */
export type Check = { name: string; status: CheckStatus; found: string; advice?: string };

export function ok(name: string, found: string): Check {
  return { name, status: "ok", found };
}

export function warn(name: string, found: string, advice: string): Check {
  return { name, status: "warn", found, advice };
}

export function fail(name: string, found: string, advice: string): Check {
  return { name, status: "fail", found, advice };
}

/** What could not be found out, most often because the server does not permit the question. */
export function unknown(name: string, reason: string, advice: string): Check {
  return warn(name, `unknown: ${reason}`, advice);
}

const SEVERITY: Record<CheckStatus, number> = { ok: 0, warn: 1, fail: 2 };

/**
 * Checks of the same name on several servers as one: the worst, with the servers that it is about.
 * undefined for no server.
 */
export function worstOf(byServer: ReadonlyMap<string, Check>): Check | undefined {
  const sorted = [...byServer].sort(([, a], [, b]) => SEVERITY[b.status] - SEVERITY[a.status]);
  const worst = sorted[0]?.[1];
  if (worst === undefined) return undefined;
  const alike = sorted.filter(([, { status }]) => status === worst.status);
  const serversByFound = new Map<string, string[]>();
  for (const [server, { found }] of alike) {
    serversByFound.set(found, [...(serversByFound.get(found) ?? []), server]);
  }
  const isSame = serversByFound.size === 1 && alike.length === byServer.size;
  if (isSame) return worst;
  if (worst.status === "ok") {
    return { ...worst, found: `${worst.found} (one of ${byServer.size} servers, all ok)` };
  }
  const parts = Array.from(
    serversByFound,
    ([found, servers]) => `${found} (${servers.join(", ")})`,
  );
  return { ...worst, found: parts.join("; ") };
}
