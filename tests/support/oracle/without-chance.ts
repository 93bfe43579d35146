const SESSION_ID = /(?<="sessionId":")[A-Za-z0-9.~]{22}-[A-Za-z0-9.~]{22}(?=")/g;
const OBSERVATION_ID = /(?<="(?:seq-)?obs-)[0-9a-f-]{32,36}/g;

/** Stands for the id of a session that was made just now. */
export const NEW_SESSION = "a new session";

/** A JSON value in which what a service draws by lot is alike: ids of sessions not `known`, and of observations. */
export function withoutChance(value: unknown, known: ReadonlySet<string>): unknown {
  const text = JSON.stringify(value);
  if (text === undefined) return undefined;
  const alike = text
    .replaceAll(SESSION_ID, (id) => (known.has(id) ? id : NEW_SESSION))
    .replaceAll(OBSERVATION_ID, "drawn");
  return JSON.parse(alike) as unknown;
}
