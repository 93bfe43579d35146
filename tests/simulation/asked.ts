import type { SessionHandle } from "@kato-rpc/client";
import { act } from "../support/load/act.ts";
import type { Action } from "../support/load/workload.ts";

/**
 * A call that a client makes. Of an observation also whether it asks for predictions, the time it is meant for, and the
 * id that it is sent with if that is another's, by which it may be known as well.
 */
export type Asked = Action & {
  readonly predicts?: boolean | undefined;
  readonly expectedTime?: number | undefined;
  readonly sentId?: string | undefined;
};

/** Makes the call by the SDK; gives what of its reply is checked. */
export async function ask(session: SessionHandle, asked: Asked): Promise<unknown> {
  if (asked.kind !== "observe") return act(session, asked);
  const { id, sentId = id, event, predicts: predict, expectedTime } = asked;
  const input = { strings: [...event], observationId: sentId, predict, expectedTime };
  // Predictions of a repeat are made anew.
  const { predictions: _, ...reply } = await session.observe(input);
  return reply;
}
