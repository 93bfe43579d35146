import { createKatoClient } from "@kato-rpc/client";
import { RETRIES } from "./retries.ts";
import { forEachConcurrently } from "../concurrently.ts";
import type { Problems } from "./problems.ts";
import type { ReplayOptions } from "./replay-run.ts";

const TIMEOUT_MS = 10_000;

/** Deletes sessions, also after the replay was ended. One that cannot be deleted expires. */
export async function deleteSessions(
  sessionIds: readonly string[],
  problems: Problems,
  { url, concurrency, openProgress }: ReplayOptions,
): Promise<void> {
  if (sessionIds.length === 0) return;
  const client = createKatoClient({ url, timeoutMs: TIMEOUT_MS, retries: RETRIES });
  const step = { label: "deleting", unit: "sessions", total: sessionIds.length };
  const progress = openProgress(step);
  try {
    await forEachConcurrently(sessionIds, concurrency, async (sessionId) => {
      if (problems.isHopeless) return;
      try {
        await client.session.attach(sessionId).delete();
        progress.add(1);
      } catch (error) {
        problems.addFailedCall(sessionId, error);
      }
    });
  } finally {
    progress.end();
    await client.close();
  }
}
