import { effectiveConfig } from "@kato-rpc/shared/session-config.ts";
import type { SessionInfo } from "@kato-rpc/shared/session.ts";
import type { ListedSession } from "../stores/session-store.ts";

export function sessionInfo({ state, expiresAt }: ListedSession): SessionInfo {
  return {
    sessionId: state.sessionId,
    nodeId: state.nodeId,
    createdAt: new Date(state.createdAt),
    expiresAt: new Date(expiresAt),
    ttlSeconds: state.ttlSeconds,
    metadata: state.metadata,
    config: effectiveConfig(state.config),
    time: state.time,
    stmLength: state.stmLength,
  };
}
