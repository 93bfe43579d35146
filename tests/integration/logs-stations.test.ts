import { describe, expect, it } from "vitest";
import { call, createSession, dataOf } from "../support/http-calls.ts";
import { openTestStore, STORE_KINDS } from "../support/service.ts";
import { waitFor } from "../support/wait-for.ts";
import { watchService, type WatchedService } from "../support/watched-service.ts";

const READ = ["received", "admitted", "loaded", "replied"];
const WRITTEN = ["received", "admitted", "committed", "replied"];
/** Computed on what this worker knows of the session from making it, or from the call before. */
const CHANGED = ["received", "admitted", "computed", "committed", "replied"];
const CHANGED_ELSEWHERE = ["received", "admitted", "loaded", "computed", "committed", "replied"];
const UNSTORED = ["received", "admitted", "replied"];

type Step = { path: string; input?: object; ofSession?: boolean; stations: string[] };

/** One call after another on one session. */
const STEPS: Step[] = [
  { path: "session.get", ofSession: true, stations: READ },
  { path: "session.exists", ofSession: true, stations: READ },
  { path: "session.stm", ofSession: true, stations: READ },
  { path: "session.percept", ofSession: true, stations: READ },
  { path: "session.observe", ofSession: true, stations: CHANGED },
  { path: "session.observe", ofSession: true, stations: CHANGED },
  {
    path: "session.observeSequence",
    input: { observations: [{ strings: ["a"] }] },
    ofSession: true,
    stations: CHANGED,
  },
  {
    path: "session.configure",
    input: { config: { recallThreshold: 0.5 } },
    ofSession: true,
    stations: CHANGED,
  },
  { path: "session.clearStm", ofSession: true, stations: CHANGED },
  { path: "session.extend", ofSession: true, stations: WRITTEN },
  { path: "session.delete", ofSession: true, stations: WRITTEN },
  // Asked of this worker and of the others' reports, not of any session.
  { path: "monitor.concurrency", stations: UNSTORED },
  { path: "monitor.health", stations: UNSTORED },
  { path: "monitor.stats", stations: UNSTORED },
  // What is refused before it runs has no more stations.
  { path: "session.observe", input: { strings: 1 }, stations: UNSTORED },
  { path: "no.such", stations: ["received", "replied"] },
];

describe.each(STORE_KINDS)("at level debug, on %s", (kind) => {
  it("every call's way is told, station by station, under its request id", async () => {
    await using store = await openTestStore(kind);
    await using service = await watchService({
      store: store.url,
      env: { KATO_LOG_LEVEL: "debug", KATO_ACCESS_LOG: "off" },
    });
    const sessionId = await createSession(service.url);
    await dataOf(service.url, "session.create", {
      input: { nodeId: "node" },
      headers: { "x-request-id": "create" },
    });

    for (const [i, { path, input, ofSession }] of STEPS.entries()) {
      await call(service.url, path, {
        input: { ...input, ...(ofSession === true ? { sessionId } : {}) },
        headers: { "x-request-id": `step-${i}` },
      });
    }
    await untilReplied(service, `step-${STEPS.length - 1}`);

    expect(stationsOf(service, "create")).toEqual(WRITTEN);
    const found = STEPS.map(({ path }, i) => [path, stationsOf(service, `step-${i}`)]);
    expect(found).toEqual(STEPS.map(({ path, stations }) => [path, stations]));
  });

  it("a change of a session that another worker made reads that first", async () => {
    await using store = await openTestStore(kind);
    const env = { KATO_LOG_LEVEL: "debug", KATO_ACCESS_LOG: "off" };
    await using maker = await watchService({ store: store.url, env });
    await using service = await watchService({ store: store.url, env });
    const sessionId = await createSession(maker.url);

    await call(service.url, "session.observe", {
      input: { sessionId },
      headers: { "x-request-id": "elsewhere" },
    });
    await untilReplied(service, "elsewhere");

    expect(stationsOf(service, "elsewhere")).toEqual(CHANGED_ELSEWHERE);
  });

  it("lists have their stations too", async () => {
    await using store = await openTestStore(kind);
    await using service = await watchService({
      store: store.url,
      env: { KATO_LOG_LEVEL: "debug", KATO_ACCESS_LOG: "off" },
    });

    for (const path of ["session.list", "session.count", "node.list"]) {
      await call(service.url, path, { headers: { "x-request-id": path } });
      await untilReplied(service, path);

      expect(stationsOf(service, path)).toEqual(expect.arrayContaining(UNSTORED));
    }
  });

  it("a change that another worker overtook is told to have conflicted, and is computed again", async () => {
    await using store = await openTestStore(kind);
    await using service = await watchService({
      store: store.url,
      workers: 2,
      env: { KATO_LOG_LEVEL: "debug", KATO_ACCESS_LOG: "off" },
    });
    const sessionId = await createSession(service.url);

    // Connections go to the workers in turn, so each finds that the other one was there.
    for (let i = 0; i < 6; i++) {
      await dataOf(service.url, "session.observe", {
        input: { sessionId, strings: ["a"] },
        headers: { "x-request-id": `observe-${i}` },
      });
    }
    await untilReplied(service, "observe-5");

    expect(stationsOf(service, "observe-5")).toEqual([
      "received",
      "admitted",
      "computed",
      "conflicted",
      "computed",
      "committed",
      "replied",
    ]);
  });
});

function stationsOf(service: WatchedService, requestId: string): unknown[] {
  return service
    .log()
    .filter((line) => line["requestId"] === requestId && line.level === "debug")
    .map(({ station }) => station);
}

function untilReplied(service: WatchedService, requestId: string): Promise<unknown> {
  return waitFor(() => stationsOf(service, requestId).includes("replied"), {
    what: `the last station of ${requestId}`,
  });
}
