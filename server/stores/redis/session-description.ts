import type { JsonValue, Metadata } from "@kato-rpc/shared/observation.ts";
import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import type { SessionConfigPatch } from "@kato-rpc/shared/session-config.ts";
import type { CurrentSession } from "../session-store.ts";

/** What `describe()` in session.lua gives. */
export type Description = [
  expiry: string,
  version: string,
  time: string,
  ttlSeconds: string,
  createdAt: string,
  nodeId: string,
  metadata: string,
  config: string,
  stmLength: number,
  seen: string[],
  mark: string,
];

/** Where in it `seen` is. */
export const SEEN_AT = 9;

export function readDescription(sessionId: string, description: Description): CurrentSession {
  const [expiry, version, time, ttlSeconds, createdAt, nodeId, metadata, config, ...rest] =
    description;
  const [stmLength, pairs, mark] = rest;
  const seen = new Map<string, JsonValue>();
  for (let i = 0; i < pairs.length; i += 2) {
    seen.set(pairs[i] as string, parseJson(pairs[i + 1] as string) as JsonValue);
  }
  return {
    state: {
      sessionId,
      nodeId,
      createdAt: Number(createdAt),
      ttlSeconds: Number(ttlSeconds),
      metadata: (metadata === "" ? {} : parseJson(metadata)) as Metadata,
      version: Number(version),
      mark,
      config: (config === "" ? {} : parseJson(config)) as SessionConfigPatch,
      time: Number(time),
      stmLength,
    },
    expiresAt: Number(expiry),
    seen,
  };
}
