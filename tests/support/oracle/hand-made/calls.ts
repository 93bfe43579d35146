import { BROKEN, BUSY } from "../prepared-store.ts";
import type { HandMade } from "./hand-made.ts";
import {
  JSON_TYPE,
  get,
  post,
  getWith,
  postWith,
  sessionOf,
  observeOf,
  batchOf,
} from "./hand-made.ts";

const UNKNOWN = "an unknown procedure is PROCEDURE_NOT_FOUND";
const BATCH_REFUSED = "a batch whose inputs cannot be read is refused with one error";
const ENVELOPE = "a broken envelope in a batch fails its own call alone";
const MIXED = "a call of the wrong kind in a batch fails alone";

/** Calls that fail for what they ask. */
export const SINGLE: HandMade[] = [
  ["a session that never was", () => getWith("session.get", sessionOf("none"))],
  [
    "a session that has expired",
    ({ sessions }) => getWith("session.get", sessionOf(sessions.expired)),
  ],
  [
    "a time that is not the session's",
    ({ sessions }) => postWith("session.observe", observeOf(sessions.empty, { expectedTime: 9 })),
  ],
  [
    "an id given again",
    ({ sessions }) =>
      postWith("session.observe", {
        json: {
          sessionId: sessions.observed,
          strings: ["a", "b"],
          vectors: [[1, 2]],
          emotives: { joy: 0 },
          observationId: "first",
        },
      }),
  ],
  [
    "an id given again for other content",
    ({ sessions }) =>
      postWith("session.observe", observeOf(sessions.observed, { observationId: "first" })),
  ],
  [
    "vectors of unequal dimension",
    ({ sessions }) =>
      postWith("session.observe", observeOf(sessions.empty, { vectors: [[1], [1, 2]] })),
  ],
  [
    "a field over its limit",
    ({ sessions }) =>
      postWith("session.observe", observeOf(sessions.empty, { strings: ["s".repeat(1_025)] })),
  ],
  ["an unknown field", () => get("session.count", '{"json":{"nodeID":1}}')],
  [
    "many broken rules",
    () =>
      post(
        "session.create",
        '{"json":{"nodeId":5,"ttlSeconds":-1,"metadata":[],"config":{"x":1}}}',
      ),
  ],
  ["a bug", () => getWith("session.exists", sessionOf(BROKEN))],
  [
    "an overload",
    () => getWith("session.exists", sessionOf(BUSY)),
    "a header says when to come again",
  ],
  [
    "a node that was never created",
    () => get("node.pattern", '{"json":{"nodeId":"none","name":"p"}}'),
  ],
];

/** Several calls at once. */
export const BATCHES: HandMade[] = [
  [
    "a batch of queries",
    ({ sessions }) =>
      get(
        "session.stm,session.count,session.stm?batch=1",
        batchOf(sessionOf(sessions.observed), undefined, sessionOf(sessions.empty)),
      ),
  ],
  [
    "a batch of mutations on one session",
    ({ sessions }) =>
      post(
        "session.observe,session.observe,session.learn,session.observe?batch=1",
        batchOf(
          observeOf(sessions.empty),
          observeOf(sessions.empty, { vectors: [[1]] }),
          sessionOf(sessions.empty),
          observeOf(sessions.empty, { predict: true }),
        ),
      ),
  ],
  [
    "a batch with results and errors",
    ({ sessions }) =>
      post(
        "session.observe,session.observe,session.observe?batch=1",
        batchOf(
          observeOf(sessions.empty),
          observeOf("none"),
          observeOf(sessions.observed, { strings: 5 }),
        ),
      ),
  ],
  [
    "a batch with errors of one status",
    () =>
      get(
        "session.get,session.stm?batch=1",
        batchOf({ json: { sessionId: "none" } }, { json: { sessionId: "none" } }),
      ),
  ],
  [
    "a batch with errors of two statuses",
    ({ sessions }) =>
      get(
        "session.get,session.stm?batch=1",
        batchOf({ json: { sessionId: "none" } }, { json: { sessionId: sessions.expired } }),
      ),
  ],
  [
    "a batch with a bug",
    () =>
      get(
        "session.exists,session.exists?batch=1",
        batchOf({ json: { sessionId: BROKEN } }, { json: { sessionId: "none" } }),
      ),
  ],
  [
    "a batch of one",
    ({ sessions }) => get("session.stm?batch=1", batchOf(sessionOf(sessions.observed))),
  ],
  ["a batch of one that fails", () => post("session.learn?batch=1", batchOf({ json: {} }))],
  ["a batch of one unknown procedure", () => post("nope?batch=1", "{}"), UNKNOWN],
  ["a batch of one empty name", () => get("?batch=1"), UNKNOWN],
  ["a batch with a comma at its end", () => get("session.count,?batch=1"), UNKNOWN],
  ["a batch with an empty name within", () => get("session.count,,session.count?batch=1"), UNKNOWN],
  ["a batch with encoded commas", () => get("session.count%2Csession.count?batch=1")],
  ["a batch without inputs", () => get("session.count,session.get?batch=1")],
  ["a batch without a body", () => post("session.create,session.learn?batch=1", undefined)],
  [
    "a batch with inputs for nobody",
    () =>
      get(
        "session.count?batch=1",
        '{"0":{"json":{"nodeId":"prepared"}},"1":5,"x":null,"__proto__":{"0":1}}',
      ),
  ],
  [
    "a batch whose inputs are not JSON",
    () => post("session.create,session.learn?batch=1", "{"),
    BATCH_REFUSED,
  ],
  ["a batch whose inputs are null", () => get("session.count,nope?batch=1", "null"), BATCH_REFUSED],
  [
    "a batch whose inputs are a string",
    () => post("session.create?batch=1", '"text"'),
    BATCH_REFUSED,
  ],
  [
    "a batch whose inputs are a list",
    () => get("session.count,session.count?batch=1", '[{"json":{"nodeId":"prepared"}},{}]'),
    "the inputs of a batch may stand in a list",
  ],
  [
    "a batch with an envelope that is null",
    ({ sessions }) =>
      post("session.observe,session.observe?batch=1", batchOf(observeOf(sessions.empty), null)),
    ENVELOPE,
  ],
  [
    "a batch with broken meta",
    ({ sessions }) =>
      post(
        "session.observe,session.observe,nope?batch=1",
        batchOf({ json: 1, meta: 5 }, observeOf(sessions.empty), 5),
      ),
    ENVELOPE,
    UNKNOWN,
  ],
  [
    "a batch of which all envelopes are broken",
    () => get("session.count,session.count?batch=1", batchOf(5, 5)),
  ],
  [
    "a batch of both kinds",
    ({ sessions }) =>
      post(
        "session.observe,session.stm?batch=1",
        batchOf(observeOf(sessions.empty), sessionOf(sessions.empty)),
      ),
    MIXED,
  ],
  [
    "a batch of 100",
    () => get(`${Array.from({ length: 100 }, () => "session.count").join(",")}?batch=1`),
  ],
  [
    "a batch of 101",
    () => get(`${Array.from({ length: 101 }, () => "session.count").join(",")}?batch=1`),
    "too many calls in a batch are LIMIT_EXCEEDED, 413 in place of 400",
  ],
  [
    "a streamed batch",
    ({ sessions }) =>
      get("session.get,session.stm,nope?batch=1", batchOf(sessionOf(sessions.observed)), {
        "trpc-accept": "application/jsonl",
      }),
    UNKNOWN,
  ],
  [
    "a streamed batch by the header accept",
    ({ sessions }) =>
      post("session.observe,session.predict?batch=1", batchOf(observeOf(sessions.empty)), {
        ...JSON_TYPE,
        accept: "application/jsonl",
      }),
    MIXED,
  ],
  [
    "a streamed batch whose inputs are not JSON",
    () => post("session.create?batch=1", "{", { ...JSON_TYPE, "trpc-accept": "application/jsonl" }),
    BATCH_REFUSED,
  ],
  [
    "a single call to be streamed",
    () => get("session.count", undefined, { "trpc-accept": "application/jsonl" }),
    "a single call is answered at once, whatever it accepts",
  ],
];
