import type { KatoClient } from "@kato-rpc/client";
import { createKatoClient } from "@kato-rpc/client";
import * as fc from "fast-check";
import { expect, it, vi } from "vitest";
import type { Arrived, WireReply } from "../../support/sdk/fake-service.ts";
import { errorFor, fakeFetch, resultFor } from "../../support/sdk/fake-service.ts";

// No back-off: the retries come one after another, as fast as they can.
vi.mock(import("../../../client/sdk/retry-timing.ts"), async (original) => ({
  ...(await original()),
  retryDelayMs: () => 0,
}));

/** What becomes of an HTTP request. */
type Fate =
  | { kind: "answered" }
  /** The connection fails before the service has the request, or before the client has the reply. */
  | { kind: "lost"; isDone: boolean }
  /** The service takes so many calls and is then overloaded. */
  | { kind: "overloaded"; taken: number };

type Call = { session: string; symbol: string; isRead: boolean };

const fates = fc.array(
  fc.oneof(
    fc.constant<Fate>({ kind: "answered" }),
    fc.boolean().map((isDone): Fate => ({ kind: "lost", isDone })),
    fc.nat(4).map((taken): Fate => ({ kind: "overloaded", taken })),
  ),
  { maxLength: 12 },
);

const ticks = fc.array(
  fc.array(
    fc.record({ session: fc.constantFrom("a", "b", "c"), isRead: fc.nat(4).map((n) => n === 0) }),
    { maxLength: 12 },
  ),
  { maxLength: 4 },
);

it("keeps each session's calls in order and each observation once, whatever fails", async () => {
  await fc.assert(
    fc.asyncProperty(
      fates,
      ticks,
      fc.record({
        maxCalls: fc.integer({ min: 1, max: 6 }),
        maxConcurrency: fc.integer({ min: 1, max: 4 }),
      }),
      async (fates, ticks, { maxCalls, maxConcurrency }) => {
        const service = new ModelService(fates);
        const client = createKatoClient({
          url: "http://model",
          fetch: fakeFetch((arrived) => service.answer(arrived)),
          batch: { maxCalls },
          maxConcurrency,
          retries: 100,
        });
        const made = await makeCalls(client, ticks);

        for (const session of ["a", "b", "c"]) {
          const own = made.filter((call) => call.session === session);
          const symbols = own.filter(({ isRead }) => !isRead).map(({ symbol }) => symbol);
          expect(service.memory(session)).toEqual(symbols);
          expectReadsInOrder(own);
        }
        expect(service.overlaps).toBe(0);
      },
    ),
    { numRuns: 300 },
  );
});

/** Each read shows exactly the observations made before it. */
function expectReadsInOrder(calls: readonly (Call & { reply: unknown })[]): void {
  const before: string[] = [];
  for (const { isRead, symbol, reply } of calls) {
    if (isRead) expect(reply).toEqual({ stm: [...before] });
    else {
      before.push(symbol);
      expect(reply).toEqual({ symbol });
    }
  }
}

async function makeCalls(
  client: KatoClient,
  ticks: readonly Pick<Call, "session" | "isRead">[][],
): Promise<(Call & { reply: unknown })[]> {
  const made: Promise<Call & { reply: unknown }>[] = [];
  for (const tick of ticks) {
    for (const { session, isRead } of tick) {
      const symbol = String(made.length);
      const handle = client.session.attach(session);
      const reply: Promise<unknown> = isRead ? handle.stm() : handle.observe({ strings: [symbol] });
      made.push(reply.then((value) => ({ session, symbol, isRead, reply: value })));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return Promise.all(made);
}

/** Keeps observations like the service: by id, in the order of each batch. */
class ModelService {
  readonly #fates: Fate[];
  readonly #sessions = new Map<string, Map<string, string>>();
  readonly #underWay: ReadonlySet<string>[] = [];
  /** Times at which a session was named by two requests at once. */
  overlaps = 0;

  constructor(fates: readonly Fate[]) {
    this.#fates = [...fates];
  }

  memory(session: string): string[] {
    return [...(this.#sessions.get(session)?.values() ?? [])];
  }

  async answer({ calls }: Arrived): Promise<WireReply[]> {
    const fate = this.#fates.shift() ?? { kind: "answered" };
    const named = new Set(calls.map(({ input }) => String(input["sessionId"])));
    const isNamed = (session: string) => this.#underWay.some((other) => other.has(session));
    if ([...named].some(isNamed)) this.overlaps += 1;
    this.#underWay.push(named);
    try {
      await new Promise((resolve) => setImmediate(resolve));
      if (fate.kind === "lost" && !fate.isDone) throw new TypeError("connection refused");
      const taken = fate.kind === "overloaded" ? fate.taken : calls.length;
      const replies = calls.map((call, i) =>
        i < taken ? this.#apply(call) : errorFor(call, "OVERLOADED"),
      );
      await new Promise((resolve) => setImmediate(resolve));
      if (fate.kind === "lost") throw new TypeError("connection reset");
      return replies;
    } finally {
      this.#underWay.splice(this.#underWay.indexOf(named), 1);
    }
  }

  #apply(call: Arrived["calls"][number]): WireReply {
    const { sessionId, strings, observationId } = call.input;
    const session = this.#sessions.get(String(sessionId)) ?? new Map<string, string>();
    this.#sessions.set(String(sessionId), session);
    if (call.path === "session.stm") return resultFor(call, { stm: [...session.values()] });
    const symbol = session.get(String(observationId)) ?? String(strings);
    session.set(String(observationId), symbol);
    return resultFor(call, { symbol });
  }
}
