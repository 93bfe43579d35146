import type { KatoClient, SessionHandle } from "@kato-rpc/client";
import { createKatoClient } from "@kato-rpc/client";
import type {
  IncidentCase,
  IncidentVerdict,
  Observe,
  ObserveOutcome,
  SessionAfter,
} from "./incident-case.ts";
import { judgeIncident } from "./incident-case.ts";
import { observeByFetch } from "./observe-by-fetch.ts";

/** `sdk`: the client's batches, without its retries; `fetch`: one HTTP request for each call. */
export type Way = "sdk" | "fetch";

export type IncidentResult = IncidentVerdict & {
  case: string;
  through: Way;
  /** From the first call sent to the last answered. */
  ms: number;
};

/** What an interrupted run leaves behind goes by itself. */
const TTL_SECONDS = 600;

export type IncidentOptions = { url: string; nodeId: string; signal: AbortSignal };

/**
 * Makes the sessions, sends all observations in one moment, reads the sessions back and deletes them.
 *
 * @throws KatoError when the sessions cannot be made, and the signal's reason when it is set meanwhile
 */
export async function runIncident(
  incident: IncidentCase,
  through: Way,
  { url, nodeId, signal }: IncidentOptions,
): Promise<IncidentResult> {
  const client = createKatoClient({ url, retries: 0, signal });
  try {
    const sessions = await Promise.all(
      Array.from({ length: incident.sessions }, () =>
        client.session.create({ nodeId, ttlSeconds: TTL_SECONDS }),
      ),
    );
    const observe = through === "sdk" ? observeBySdk(client) : observeByFetch(url, signal);
    const startedAt = performance.now();
    const outcomes = await observeAll(incident, sessions, observe);
    const ms = performance.now() - startedAt;
    const after = await Promise.all(sessions.map(readAfter));
    // One that cannot be deleted expires; what matters has been seen.
    await Promise.allSettled(sessions.map((session) => session.delete()));
    const verdict = judgeIncident(incident, outcomes, after);
    return { case: `${incident.sessions} × ${incident.observes}`, through, ...verdict, ms };
  } finally {
    await client.close();
  }
}

function observeBySdk(client: KatoClient): Observe {
  return async (sessionId, symbol) => {
    const { time } = await client.session.attach(sessionId).observe({ strings: [symbol] });
    return time;
  };
}

/** Every session gets its first, then every its second: so no session's calls stand together. */
function observeAll(
  { observes }: IncidentCase,
  sessions: readonly SessionHandle[],
  observe: Observe,
): Promise<ObserveOutcome[]> {
  const calls = Array.from({ length: observes }, (_, turn) =>
    sessions.map(async ({ sessionId }, session): Promise<ObserveOutcome> => {
      const symbol = `s${session + 1}-o${turn + 1}`;
      try {
        return { session, symbol, time: await observe(sessionId, symbol) };
      } catch (error) {
        return { session, symbol, error: nameOf(error) };
      }
    }),
  );
  return Promise.all(calls.flat());
}

async function readAfter(session: SessionHandle): Promise<SessionAfter> {
  try {
    return await session.stm();
  } catch {
    // Told by the verdict: a session that cannot be read holds nothing exactly.
    return undefined;
  }
}

/** The service's code where there is one. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}
