import type { Procedure } from "./wire.ts";
import { call } from "./wire.ts";

/** Where a mutation happens: a node with a pattern, and a session on it that has observed something. */
export type Place = { nodeId: string; sessionId: string; name: string };

/** A mutation with an id, and what may be done to tell its repeats from other calls. */
export type Mutation = {
  procedure: Procedure;
  input(place: Place): Record<string, unknown>;
  /** The same content said in another way; undefined where there is none. */
  repeat?: (place: Place) => Record<string, unknown>;
  /** The same id with other content, in as many ways as content can differ; undefined where there is no content. */
  other?: (place: Place) => Record<string, unknown>[];
  /** What others do between the call and its repeat. */
  meanwhile?: (url: string, place: Place) => Promise<unknown>;
};

const OBSERVATION = {
  strings: ["b", "a"],
  vectors: [[1, 0]],
  emotives: { joy: 1, fear: -0.5 },
  metadata: { book: "x", pages: { from: 1, to: [2, null] } },
};

/** The same as OBSERVATION, its keys in another order. */
const REORDERED = {
  strings: ["b", "a"],
  vectors: [[1, 0]],
  emotives: { fear: -0.5, joy: 1 },
  metadata: { pages: { to: [2, null], from: 1 }, book: "x" },
};

const OTHER_OBSERVATIONS = [
  { ...OBSERVATION, strings: ["a", "b"] },
  { ...OBSERVATION, strings: ["b", "a", ""] },
  { ...OBSERVATION, vectors: [[1, 0.5]] },
  { ...OBSERVATION, vectors: [] },
  { ...OBSERVATION, emotives: { joy: 1 } },
  { ...OBSERVATION, metadata: { ...OBSERVATION.metadata, pages: { from: 1, to: [2] } } },
];

const observe = (url: string, { sessionId }: Place) =>
  call(url, "session.observe", { sessionId, strings: ["meanwhile"] });

/** Learns the pattern of the place once more, and another one. */
async function learnAgain(url: string, { sessionId }: Place): Promise<void> {
  await call(url, "session.learn", { sessionId });
  for (const strings of [["x"], ["y"]]) await call(url, "session.observe", { sessionId, strings });
  await call(url, "session.learn", { sessionId });
}

const OTHER_NAME = `PTRN|${"0".repeat(40)}`;

export const MUTATIONS: Mutation[] = [
  {
    procedure: "session.create",
    input: ({ nodeId }) => ({ nodeId, metadata: { a: 1, b: 2 }, requestId: "once" }),
    other: ({ nodeId }) => [
      { nodeId, requestId: "once" },
      { nodeId, metadata: { a: 1, b: 3 }, requestId: "once" },
      { nodeId, metadata: { a: 1, b: 2 }, ttlSeconds: 3_600, requestId: "once" },
      { nodeId, metadata: { a: 1, b: 2 }, config: { persistence: 5 }, requestId: "once" },
    ],
  },
  {
    procedure: "session.observe",
    input: ({ sessionId }) => ({ sessionId, ...OBSERVATION, observationId: "once" }),
    repeat: ({ sessionId }) => ({
      sessionId,
      ...REORDERED,
      expectedTime: 99,
      predict: true,
      observationId: "once",
    }),
    other: ({ sessionId }) =>
      OTHER_OBSERVATIONS.map((input) => ({ sessionId, ...input, observationId: "once" })),
    meanwhile: observe,
  },
  {
    procedure: "session.observeSequence",
    input: ({ sessionId }) => ({
      sessionId,
      observations: [OBSERVATION, { strings: ["c"] }],
      learnAtEnd: true,
      requestId: "once",
    }),
    other: ({ sessionId }) => [
      ...OTHER_OBSERVATIONS.map((input) => ({
        sessionId,
        observations: [input, { strings: ["c"] }],
        learnAtEnd: true,
        requestId: "once",
      })),
      { sessionId, observations: [REORDERED, { strings: ["c"] }], requestId: "once" },
      { sessionId, observations: [OBSERVATION], learnAtEnd: true, requestId: "once" },
    ],
    meanwhile: observe,
  },
  {
    procedure: "session.learn",
    input: ({ sessionId }) => ({ sessionId, requestId: "once" }),
    meanwhile: observe,
  },
  {
    procedure: "session.clearStm",
    input: ({ sessionId }) => ({ sessionId, requestId: "once" }),
    meanwhile: observe,
  },
  {
    procedure: "session.extend",
    input: ({ sessionId }) => ({ sessionId, ttlSeconds: 7_200, requestId: "once" }),
    other: ({ sessionId }) => [
      { sessionId, ttlSeconds: 7_201, requestId: "once" },
      { sessionId, requestId: "once" },
    ],
    meanwhile: (url, { sessionId }) =>
      call(url, "session.extend", { sessionId, ttlSeconds: 9_000 }),
  },
  {
    procedure: "session.delete",
    input: ({ sessionId }) => ({ sessionId, requestId: "once" }),
  },
  {
    procedure: "node.correct",
    input: ({ nodeId, name }) => ({
      nodeId,
      name,
      frequency: 5,
      emotives: [{ joy: 1 }, { fear: -0.5 }],
      metadata: { book: ["x", "y"] },
      requestId: "once",
    }),
    repeat: ({ nodeId, name }) => ({
      requestId: "once",
      metadata: { book: ["y", "x", "y"] },
      emotives: [{ joy: 1 }, { fear: -0.5 }],
      frequency: 5,
      name: name.replace("PTRN|", ""),
      nodeId,
    }),
    other: ({ nodeId, name }) => [
      { nodeId, name, frequency: 5, requestId: "once" },
      { nodeId, name: OTHER_NAME, frequency: 5, requestId: "once" },
    ],
    // What came later must stand, though the pattern is there no more as it was corrected first.
    meanwhile: (url, { nodeId, name }) =>
      call(url, "node.correct", { nodeId, name, frequency: 9, emotives: [], metadata: {} }),
  },
  {
    procedure: "node.forget",
    input: ({ nodeId, name }) => ({ nodeId, name, requestId: "once" }),
    other: ({ nodeId }) => [{ nodeId, name: OTHER_NAME, requestId: "once" }],
    meanwhile: learnAgain,
  },
  {
    procedure: "node.finalize",
    input: ({ nodeId }) => ({ nodeId, requestId: "once" }),
    meanwhile: learnAgain,
  },
  {
    procedure: "node.clear",
    input: ({ nodeId }) => ({ nodeId, requestId: "once" }),
    meanwhile: learnAgain,
  },
  {
    procedure: "session.configure",
    input: ({ sessionId }) => ({
      sessionId,
      config: { persistence: 7, maxPredictions: 5 },
      requestId: "once",
    }),
    other: ({ sessionId }) => [
      { sessionId, config: { persistence: 7 }, requestId: "once" },
      { sessionId, config: { persistence: 7, maxPredictions: null }, requestId: "once" },
    ],
    meanwhile: (url, { sessionId }) =>
      call(url, "session.configure", { sessionId, config: { persistence: 9 } }),
  },
];

let placesOpened = 0;

/** A place of its own for a mutation, on a node named for it. */
export async function openPlaceFor({ procedure }: Mutation, url: string): Promise<Place> {
  placesOpened += 1;
  const nodeId = `${procedure} ${placesOpened}`;
  const { sessionId } = await call<{ sessionId: string }>(url, "session.create", { nodeId });
  for (const strings of [["x"], ["y"]]) await call(url, "session.observe", { sessionId, strings });
  const { learned } = await call<{ learned: string }>(url, "session.learn", { sessionId });
  for (const strings of [["p"], ["q"]]) await call(url, "session.observe", { sessionId, strings });
  return { nodeId, sessionId, name: learned };
}

/** All that callers can read of the place, and of predictions what only a finalize changes. */
export async function stateOf(url: string, { nodeId, sessionId }: Place) {
  const session = { sessionId };
  const { items } = await call<{ items: object[] }>(url, "session.list", { nodeId });
  const node = {
    sessions: items.length,
    patterns: await call<object>(url, "node.patterns", { nodeId }),
    symbols: await call<object>(url, "node.symbols", { nodeId }),
  };
  const { exists } = await call<{ exists: boolean }>(url, "session.exists", session);
  if (!exists) return node;
  return {
    ...node,
    predictions: await predictionsIn(url, nodeId),
    stm: await call<object>(url, "session.stm", session),
    percept: await call<object>(url, "session.percept", session),
    info: await call<object>(url, "session.get", session),
  };
}

/** Of a session that comes and goes for it. */
async function predictionsIn(url: string, nodeId: string): Promise<object> {
  const { sessionId } = await call<{ sessionId: string }>(url, "session.create", { nodeId });
  await call(url, "session.observe", { sessionId, strings: ["x", "p"] });
  const { predictions } = await call<{ predictions: object }>(url, "session.predict", {
    sessionId,
  });
  await call(url, "session.delete", { sessionId });
  return { predictions };
}

/** The same without what tells one place from another. */
export async function namelessStateOf(url: string, place: Place) {
  const state = Object.entries(await stateOf(url, place)).map(([part, value]) => [
    part,
    typeof value === "number" ? value : { ...value, ...NAMELESS },
  ]);
  return Object.fromEntries(state) as Record<string, unknown>;
}

const NAMELESS = { sessionId: "", nodeId: "", createdAt: "", expiresAt: "" };
