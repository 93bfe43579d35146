import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import type {
  Outcome,
  Retention,
  SessionCommit,
  SessionMemory,
  StoredPercept,
} from "../session-store.ts";
import type { Remembered } from "../remembered-window.ts";
import { bytesOf, findForgotten, isForgettingDue, mostRemembered } from "../remembered-window.ts";
import type { SessionRow } from "./session-row.ts";
import type { Statements } from "./statements.ts";

/** Of entries, by the part of a session that they are. */
const KIND = { stm: 0, emotives: 1, metadata: 2, vectors: 3 } as const;

/** What sessions hold beside their rows: entries and remembered replies. Every method belongs into a transaction. */
export class SessionContents {
  readonly #statements: Statements;
  readonly #retention: Retention;

  constructor(statements: Statements, retention: Retention) {
    this.#statements = statements;
    this.#retention = retention;
  }

  /** Oldest first. */
  read<Part extends keyof SessionMemory>(row: SessionRow, part: Part): SessionMemory[Part] {
    const rows = this.#statements.entries.all(row.session, KIND[part]) as { json: string }[];
    const { events, accumulated } = this.#retention;
    const keep = part === "stm" ? events : accumulated;
    // Entries of a kind are of one type, which the rows cannot tell.
    return rows.slice(-keep).map(({ json }) => parseJson(json)) as SessionMemory[Part];
  }

  /** Writes a commit's change, and the row's expiry, as of `nowMs`; `frequencies` are those of its learns. */
  apply(
    row: SessionRow,
    { delta, time, mark, outcomes }: SessionCommit,
    { frequencies, nowMs }: { frequencies: readonly (number | null)[]; nowMs: number },
  ): void {
    if (delta.clearsStm) row.eventCount = this.#clear(row, KIND.stm);
    if (delta.clearsAccumulators) {
      row.emotivesCount = this.#clear(row, KIND.emotives);
      row.metadataCount = this.#clear(row, KIND.metadata);
    }
    if (delta.clearsVectors) row.vectorsCount = this.#clear(row, KIND.vectors);
    const { events, accumulated: keep } = this.#retention;
    const add = (kind: number, items: readonly unknown[], rule: { count: number; keep: number }) =>
      this.#append(row, { kind, items: items.slice(-rule.keep), ...rule });
    const { emotivesCount, metadataCount, vectorsCount } = row;
    this.#rememberAll(row, { outcomes, frequencies, nowMs });
    const counts = [
      add(KIND.stm, delta.events, { count: row.eventCount, keep: events }),
      add(KIND.emotives, delta.emotives, { count: emotivesCount, keep }),
      add(KIND.metadata, delta.metadata, { count: metadataCount, keep }),
      add(KIND.vectors, delta.vectors, { count: vectorsCount, keep }),
    ];
    this.#statements.updateSession.run(
      row.expiresAt,
      mark,
      time,
      delta.config === undefined ? row.configJson : JSON.stringify(delta.config),
      nextPercept(row, delta.percept),
      row.nextPosition,
      ...counts,
      row.replyCount,
      row.oldestReplyAt,
      row.replyBytes,
      row.oldestReplyBytes,
      row.session,
    );
  }

  /** Gives how many entries of the kind are left. */
  #clear(row: SessionRow, kind: number): 0 {
    this.#statements.removeEntries.run(row.session, kind);
    return 0;
  }

  /** Appends entries of one kind and drops the oldest past `keep`; gives how many there are then. */
  #append(
    row: SessionRow,
    change: { kind: number; items: readonly unknown[]; count: number; keep: number },
  ): number {
    const { kind, items, keep } = change;
    for (const item of items) {
      this.#statements.addEntry.run(row.session, kind, row.nextPosition, JSON.stringify(item));
      row.nextPosition += 1;
    }
    const count = change.count + items.length;
    if (count <= keep + slackOf(keep)) return count;
    this.#statements.removeOldestEntries.run({ session: row.session, kind, count: count - keep });
    return keep;
  }

  /** Remembers one reply, with nothing else of the session changed. */
  remember(row: SessionRow, outcome: Outcome, nowMs: number): void {
    this.#rememberAll(row, { outcomes: [outcome], frequencies: [], nowMs });
    const { session, nextPosition, replyCount, oldestReplyAt, replyBytes, oldestReplyBytes } = row;
    const oldest = { oldestReplyAt, oldestReplyBytes };
    this.#statements.updateReplies.run({
      session,
      nextPosition,
      replyCount,
      replyBytes,
      ...oldest,
    });
  }

  #rememberAll(
    row: SessionRow,
    change: {
      outcomes: readonly Outcome[];
      frequencies: readonly (number | null)[];
      nowMs: number;
    },
  ): void {
    const { outcomes, frequencies, nowMs } = change;
    const kept = outcomes.slice(-mostRemembered(this.#retention));
    for (const { id, reply, learn } of kept) {
      const remembered = learn === undefined ? reply : [reply, frequencies[learn] ?? null];
      const json = JSON.stringify(remembered);
      row.replyBytes += bytesOf(id, json);
      if (row.replyCount === 0) setOldest(row, { at: nowMs, bytes: row.replyBytes });
      this.#statements.addReply.run(row.session, id, row.nextPosition, nowMs, row.replyBytes, json);
      row.nextPosition += 1;
      row.replyCount += 1;
    }
    if (kept.length > 0) this.#forgetOldReplies(row, nowMs);
  }

  #forgetOldReplies(row: SessionRow, nowMs: number): void {
    const { session } = row;
    const held = { count: row.replyCount, bytes: row.replyBytes, nowMs };
    const first = { at: row.oldestReplyAt, bytes: row.oldestReplyBytes };
    if (!isForgettingDue(first, held, this.#retention)) return;
    const replies = this.#statements.oldestReplies.iterate(session) as Iterable<ReplyRow>;
    const { forgotten, oldest } = findForgotten(replies, held, this.#retention);
    if (oldest === undefined) return;
    this.#statements.removeRepliesBefore.run(session, oldest.position);
    row.replyCount -= forgotten;
    setOldest(row, oldest);
  }
}

type ReplyRow = Remembered & { position: number };

function setOldest(row: SessionRow, { at, bytes }: Remembered): void {
  row.oldestReplyAt = at;
  row.oldestReplyBytes = bytes;
}

/**
 * How many entries more than a session keeps may stand: they are removed several at a time, since one
 * for one would cost every commit on a full session more pages. Who reads looks at the newest only.
 */
function slackOf(keep: number): number {
  return Math.floor(keep / 16);
}

function nextPercept(row: SessionRow, percept: StoredPercept | null | undefined): string | null {
  if (percept === undefined) return row.perceptJson;
  return percept === null ? null : JSON.stringify(percept);
}
