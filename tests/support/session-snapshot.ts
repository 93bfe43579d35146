import { batch, call, dataOf } from "./wire.ts";

/** All that a call can change of a session, but its expiry. */
export type SessionSnapshot = { info: unknown; stm: unknown; percept: unknown };

export async function snapshot(url: string, sessionId: string): Promise<SessionSnapshot> {
  const { items } = await batch(
    url,
    "query",
    ["get", "stm", "percept"].map((name) => ({ path: `session.${name}`, input: { sessionId } })),
  );
  const [info, stm, percept] = items.map((item) => dataOf<object>(item));
  return { info: { ...info, expiresAt: undefined }, stm, percept };
}

/** A session in which there is something of everything to lose. */
export async function openObservedSession(url: string, nodeId = "observed"): Promise<string> {
  const { sessionId } = await call<{ sessionId: string }>(url, "session.create", {
    nodeId,
    config: { persistence: 7 },
    metadata: { kept: true },
  });
  await call(url, "session.observe", {
    sessionId,
    strings: ["b", "a"],
    vectors: [[1, 2]],
    emotives: { joy: 1 },
    metadata: { seen: 1 },
    observationId: "first",
  });
  return sessionId;
}
