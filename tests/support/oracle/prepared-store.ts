import { join } from "node:path";
import { makeTemporaryDirectory } from "../temporary-directory.ts";
import { startTestApp } from "../test-app.ts";
import { call } from "../wire.ts";

/** When the store was prepared, and when it is asked: between the two its brief session has expired. */
const PREPARED_AT = Date.UTC(2026, 0, 1);
export const ASKED_AT = PREPARED_AT + 60_000;

export const NODE_ID = "prepared";

/** Sessions of whose existence the store cannot tell, and says so by a bug and by an error of the catalogue. */
export const BROKEN = `${"b".repeat(22)}-${"b".repeat(22)}`;
export const BUSY = `${"c".repeat(22)}-${"c".repeat(22)}`;

/** A SQLite file with something of everything to ask for, closed, to be copied. */
export type PreparedStore = AsyncDisposable & {
  path: string;
  /** `observed`: with events, emotives, metadata and vectors, on a node that has learned. */
  sessions: { observed: string; empty: string; expired: string };
  pattern: string;
};

export async function prepareStore(): Promise<PreparedStore> {
  const directory = await makeTemporaryDirectory();
  const path = join(directory.path, "prepared.db");
  await using app = await startTestApp({
    settings: { KATO_STORE: `sqlite:${path}` },
    now: () => PREPARED_AT,
  });
  const { url } = app;
  const create = async (more: object) => {
    const created = await call<{ sessionId: string }>(url, "session.create", {
      nodeId: NODE_ID,
      ...more,
    });
    return created.sessionId;
  };
  const observed = await create({ metadata: { kept: [true, null] } });
  const empty = await create({ config: { sortSymbols: false } });
  const expired = await create({ ttlSeconds: 1 });
  const observe = (strings: string[], more: object = {}) =>
    call(url, "session.observe", { sessionId: observed, strings, ...more });
  await observe(["b", "a"], { emotives: { joy: 1 } });
  await observe(["c"], { metadata: { page: 2 } });
  const learned = await call<{ learned: string }>(url, "session.learn", { sessionId: observed });
  await observe(["a", "b"], { vectors: [[1, 2]], emotives: { joy: -0 }, observationId: "first" });
  return {
    path,
    sessions: { observed, empty, expired },
    pattern: learned.learned,
    [Symbol.asyncDispose]: () => directory.remove(),
  };
}
