import type { Retention } from "./session-store.ts";

/*
 * What is remembered of calls, of each session and each node, to answer their repeats. An id is forgotten, the oldest
 * first, when it is older than `outcomesMs`; when it is neither among the newest `outcomes` nor younger than
 * ON_ITS_WAY_MS; or when what came after it is as much as is ever held. It happens with the next call that is
 * remembered, and not before up to a sixteenth more of what was passed has come together.
 */

/**
 * How long an attempt may be on its way and still take effect, after another one was answered: what the client waits
 * for it (10 s), what a frozen worker has before it is replaced (10 s) and the deadline of calls (5 s), more than twice over.
 */
export const ON_ITS_WAY_MS = 60_000;

/** Times `outcomes`: how many ids are ever remembered. */
export const REMEMBERED_AT_MOST = 16;

/** Bytes of ids and replies that are ever remembered, and one reply more. A large sequence's takes 0.3 to 1 MB. */
export const REMEMBERED_BYTES = 16 * 2 ** 20;

export function mostRemembered({ outcomes }: Retention): number {
  return outcomes * REMEMBERED_AT_MOST;
}

/** As the stores count them, which both hold text as UTF-8. */
export function bytesOf(id: string, json: string): number {
  return id.length + Buffer.byteLength(json);
}

/** An id that is remembered: since when, in epoch ms, and the bytes from the first ever up to it. */
export type Remembered = { at: number; bytes: number };

/** How many ids there are, their bytes as those of the newest, and the time. */
export type Held = { count: number; bytes: number; nowMs: number };

/** Whether it is time to forget. */
export function isForgettingDue(oldest: Remembered, held: Held, retention: Retention): boolean {
  return isOver(oldest, { ...held, newer: held.count - 1 }, { retention, slack: 1 });
}

/** How many of these are to be forgotten, and the first that stays. */
export function findForgotten<Row extends Remembered>(
  oldestFirst: Iterable<Row>,
  held: Held,
  retention: Retention,
): { forgotten: number; oldest: Row | undefined } {
  let forgotten = 0;
  for (const oldest of oldestFirst) {
    const newer = held.count - forgotten - 1;
    if (!isOver(oldest, { ...held, newer }, { retention, slack: 0 })) return { forgotten, oldest };
    forgotten += 1;
  }
  return { forgotten, oldest: undefined };
}

/** `slack`: how many sixteenths more than the rule says may stay. remember.lua says the same. */
function isOver(
  { at, bytes }: Remembered,
  held: Held & { newer: number },
  { retention, slack }: { retention: Retention; slack: number },
): boolean {
  const { outcomes, outcomesMs } = retention;
  const over = (figure: number, most: number) => figure > most + Math.floor((most * slack) / 16);
  const [age, count] = [held.nowMs - at, held.newer + 1];
  return (
    over(age, outcomesMs) ||
    (over(count, outcomes) && over(age, ON_ITS_WAY_MS)) ||
    over(count, mostRemembered(retention)) ||
    over(held.bytes - bytes, REMEMBERED_BYTES)
  );
}
