import type { Metadata } from "@kato-rpc/shared/observation.ts";
import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import type { SessionConfigPatch } from "@kato-rpc/shared/session-config.ts";
import type { ListedSession, Retention } from "../session-store.ts";

/** What is read of a session's row and its node's. */
export type SessionRow = {
  session: number;
  sessionId: string;
  nodeId: string;
  createdAt: number;
  ttlSeconds: number;
  expiresAt: number;
  version: number;
  mark: string;
  time: number;
  metadataJson: string;
  configJson: string;
  perceptJson: string | null;
  nextPosition: number;
  eventCount: number;
  emotivesCount: number;
  metadataCount: number;
  vectorsCount: number;
  replyCount: number;
  oldestReplyAt: number;
  replyBytes: number;
  oldestReplyBytes: number;
};

/** The end of the second in which a moment lies, both in epoch ms. */
export function endOfSecond(ms: number): number {
  return Math.ceil(ms / 1_000) * 1_000;
}

export function readRow(row: SessionRow, { events }: Retention): ListedSession {
  return {
    state: {
      sessionId: row.sessionId,
      nodeId: row.nodeId,
      createdAt: row.createdAt,
      ttlSeconds: row.ttlSeconds,
      metadata: parseJson(row.metadataJson) as Metadata,
      version: row.version,
      mark: row.mark,
      config: parseJson(row.configJson) as SessionConfigPatch,
      time: row.time,
      stmLength: Math.min(row.eventCount, events),
    },
    expiresAt: row.expiresAt,
  };
}
