import type { Event } from "@kato-rpc/shared/observation.ts";
import { SETTINGS } from "../../config.ts";

/** Newest events that a session keeps, unless its server is set otherwise. */
const STM_LIMIT = Number(SETTINGS.stmLimit.default);

/** In what a session's short-term memory differs from the activities sent to it; undefined: in nothing. */
export function findMismatch(
  sent: readonly string[],
  { stm, time }: { stm: readonly Event[]; time: number },
): string | undefined {
  if (time !== sent.length) return `${sent.length} events sent, but the session's time is ${time}`;
  const kept = sent.slice(-STM_LIMIT);
  if (stm.length !== kept.length) return `${kept.length} events expected, ${stm.length} found`;
  for (const [i, activity] of kept.entries()) {
    const event = stm[i];
    if (event?.length === 1 && event[0] === activity) continue;
    const place = sent.length - kept.length + i + 1;
    return `event ${place} is ${shorten(event)}, sent ${shorten([activity])}`;
  }
  return undefined;
}

function shorten(event: Event = []): string {
  const text = JSON.stringify(event);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
