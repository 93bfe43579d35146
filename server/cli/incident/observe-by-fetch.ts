import { z } from "zod";
import type { Observe } from "./incident-case.ts";

const TIMEOUT_MS = 30_000;

/** The parts of an answer that matter here, with or without success. */
const answerSchema = z.union([
  z.object({ result: z.object({ data: z.object({ json: z.object({ time: z.int() }) }) }) }),
  z.object({ error: z.object({ json: z.object({ data: z.object({ kato: z.string() }) }) }) }),
]);

/** Observes as a client without our SDK would: an HTTP request for each call, none retried. */
export function observeByFetch(url: string, signal: AbortSignal): Observe {
  return async (sessionId, symbol) => {
    const response = await fetch(`${url}/trpc/session.observe`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ json: { sessionId, strings: [symbol] } }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const answer = answerSchema.safeParse(await response.json());
    if (!answer.success) throw new Error(`HTTP ${response.status} with an unknown body`);
    if ("error" in answer.data) throw new Error(answer.data.error.json.data.kato);
    return answer.data.result.data.json.time;
  };
}
