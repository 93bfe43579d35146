/**
 * What must and must not compile against the client's types. Nothing here runs: the compiler is the
 * test, and an `@ts-expect-error` without an error below it fails it.
 */
import type {
  CallOptions,
  CreatedSession,
  KatoClient,
  KatoError,
  KatoErrorCode,
  KatoOutputs,
  NextEvent,
  NextReason,
  NoNextReason,
  Prediction,
  SequencePrediction,
} from "@kato-rpc/client";
import { createKatoClient, isKatoError } from "@kato-rpc/client";

/** Compiles only if A and B are the same type, `any` and optional fields told apart. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(isSame: Same<A, B>): void;

export async function clientsAreMadeFromOptions(): Promise<void> {
  const { signal } = new AbortController();
  const client: KatoClient = createKatoClient({
    url: new URL("http://127.0.0.1:8000"),
    timeoutMs: 1_000,
    attemptTimeoutMs: undefined,
    retries: 0,
    maxConcurrency: 4,
    batch: { maxCalls: 10 },
    headers: async () => ({ authorization: "Bearer …" }),
    fetch: (url, init) => fetch(url, init),
    signal,
  });
  await using _closed = client;
  await client.close();

  // @ts-expect-error a client needs to know where the service is
  createKatoClient({});
  // @ts-expect-error times have their unit in the name
  createKatoClient({ url: "", timeout: 5 });
  // @ts-expect-error headers are text
  createKatoClient({ url: "", headers: { "x-count": 1 } });
}

export async function sessionsAreCreatedAndAttached(client: KatoClient): Promise<void> {
  const session = await client.session.create({ nodeId: "n", config: { stmMode: "ROLLING" } });
  same<typeof session, CreatedSession>(true);
  same<typeof session.info.createdAt, Date>(true);
  same<typeof session.info.config.stmMode, "CLEAR" | "ROLLING">(true);
  same<typeof session.info.config.fuzzyTokenThreshold, number | null>(true);
  const attached = client.session.attach(session.sessionId);
  same<typeof attached.sessionId, string>(true);

  // @ts-expect-error a session is created on a node
  await client.session.create({});
  // @ts-expect-error there is no such setting
  await client.session.create({ nodeId: "n", config: { threshold: 1 } });
  // @ts-expect-error there is no such mode
  await client.session.create({ nodeId: "n", config: { stmMode: "rolling" } });
  // @ts-expect-error an attached session's node is not known
  void attached.nodeId;
  // @ts-expect-error a session's id is its own
  session.sessionId = "other";
}

export async function handlesTakeTheInputWithoutTheSession(session: CreatedSession): Promise<void> {
  const options: CallOptions = { timeoutMs: 500, retries: 1, signal: AbortSignal.timeout(9) };
  const reply = await session.observe({ strings: ["a"], emotives: { joy: 1 } }, options);
  same<typeof reply, KatoOutputs["session"]["observe"]>(true);
  same<typeof reply.time, number>(true);
  same<typeof reply.learned, string | null>(true);
  await session.observe();
  await session.observe({
    expectedTime: 3,
    observationId: "id",
    metadata: { deep: [{ a: null }] },
  });
  const sequence = await session.observeSequence({ observations: [{ strings: ["a"] }] });
  same<(typeof sequence.results)[number]["replayed"], boolean>(true);
  const { stm } = await session.stm({ retries: 0 });
  same<typeof stm, string[][]>(true);
  const { expiresAt } = await session.extend({ ttlSeconds: 60 });
  same<typeof expiresAt, Date>(true);
  const { exists, expired } = await session.exists();
  same<[typeof exists, typeof expired], [boolean, boolean]>(true);
  same<Awaited<ReturnType<typeof session.clearStm>>, { cleared: true } & { replayed?: true }>(true);
  await session.configure({ config: { recallThreshold: null } });
  await session.delete(options);

  // @ts-expect-error the handle knows its session
  await session.observe({ sessionId: "s", strings: [] });
  // @ts-expect-error symbols are text
  await session.observe({ strings: [1] });
  // @ts-expect-error emotives are numbers
  await session.observe({ emotives: { joy: "much" } });
  // @ts-expect-error metadata is JSON
  await session.observe({ metadata: { at: new Date() } });
  // @ts-expect-error a sequence has observations
  await session.observeSequence({});
  // @ts-expect-error a Date is no text
  const text: string = (await session.get()).expiresAt;
  // @ts-expect-error times are milliseconds
  await session.stm({ timeout: 5 });
  void text;
}

export async function readsOfTheServiceAreTyped(client: KatoClient): Promise<void> {
  const page = await client.session.list({ nodeId: "n", limit: 10 });
  same<typeof page.nextCursor, string | null>(true);
  const { active } = await client.session.count();
  same<typeof active, number>(true);
  const [node] = (await client.node.list()).items;
  same<typeof node, { nodeId: string; activeSessions: number } | undefined>(true);
  const { status, timestamp } = await client.monitor.concurrency({ scope: "fleet" });
  same<typeof status, "healthy" | "warning" | "critical">(true);
  same<typeof timestamp, Date>(true);
  await client.monitor.stats({ timeoutMs: 100 });

  // @ts-expect-error there is no such scope
  await client.monitor.concurrency({ scope: "galaxy" });
}

export async function rawProceduresAreTyped(client: KatoClient): Promise<void> {
  const reply = await client.raw.session.observe.mutate(
    { sessionId: "s", strings: ["a"] },
    { context: { timeoutMs: 5 }, signal: AbortSignal.timeout(9) },
  );
  same<typeof reply, KatoOutputs["session"]["observe"]>(true);

  // @ts-expect-error observing is a mutation
  void client.raw.session.observe.query;
  // @ts-expect-error there is no such procedure
  void client.raw.session.forget;
  // @ts-expect-error a raw call names its session
  await client.raw.session.stm.query({});
}

export function errorsNarrowByCode(error: unknown): void {
  if (isKatoError(error, "TIME_CONFLICT")) {
    same<typeof error.code, "TIME_CONFLICT">(true);
    same<typeof error.details.actualTime, number | undefined>(true);
    same<typeof error.requestId, string | undefined>(true);
  } else if (isKatoError(error)) {
    same<typeof error.code, KatoErrorCode>(true);
    same<typeof error, KatoError>(true);
    const wire = error.data?.kato;
    void wire;
  }

  // @ts-expect-error there is no such code
  isKatoError(error, "SESSION_LOST");
  // @ts-expect-error nothing is known of it before it is checked
  void error.code;
}

export async function learningAndPredictingAreTyped(
  client: KatoClient,
  session: CreatedSession,
): Promise<void> {
  const { learned, frequency, reason } = await session.learn();
  same<typeof learned, string | null>(true);
  same<typeof frequency, number>(true);
  same<typeof reason, "TOO_FEW_SYMBOLS" | undefined>(true);
  const { predictions, futurePotentials } = await session.predict({
    overrides: { maxPredictions: 3, rankSortAlgo: "tfidfScore", affinityEmotive: null },
  });
  same<typeof predictions, Prediction[]>(true);
  same<(typeof futurePotentials)[number]["future"], string[][]>(true);
  const [first] = predictions;
  if (first !== undefined && "sequence" in first) same<typeof first, SequencePrediction>(true);
  const { events, end, empty } = await session.next({ k: 3, horizon: 2 });
  same<typeof events, NextEvent[]>(true);
  same<NextEvent["because"], NextReason[]>(true);
  same<typeof end, number>(true);
  same<typeof empty, NoNextReason | null>(true);
  const observed = await session.observe({ strings: ["a"], predict: true });
  same<typeof observed.predictions, Prediction[] | undefined>(true);
  const { symbols } = await session.cognition({ timeoutMs: 500 });
  same<typeof symbols, string[]>(true);
  const { items } = await client.node.patterns({ nodeId: "n", limit: 3 });
  same<(typeof items)[number]["metadata"], Record<string, string[]>>(true);
  await client.node.correct({ nodeId: "n", name: "PTRN|…", frequency: 2 });

  // @ts-expect-error only settings of predictions can be overridden
  await session.predict({ overrides: { persistence: 3 } });
  // @ts-expect-error entropy is no field to rank by
  await session.predict({ overrides: { rankSortAlgo: "entropy" } });
  // @ts-expect-error the session is the handle's
  await session.next({ sessionId: "s" });
  // @ts-expect-error long-term memory belongs to a node
  await client.node.patterns({});
}
