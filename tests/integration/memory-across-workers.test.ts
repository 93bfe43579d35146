import type {
  LearnReply,
  ObserveReply,
  ObserveSequenceReply,
  PredictReply,
  StmReply,
} from "@kato-rpc/shared/session.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { vectorName } from "../../server/engine/vector-symbol.ts";
import type { PinnedClient } from "../support/clients/pinned-client.ts";
import { pinToWorkers } from "../support/clients/pinned-client.ts";
import { openTestStore, startService, STORE_KINDS } from "../support/service.ts";

describe.each(STORE_KINDS)("long-term memory on %s, changed by one of two workers", (kind) => {
  let stack: AsyncDisposableStack;
  let writer: PinnedClient;
  let reader: PinnedClient;
  let nodes = 0;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    const store = stack.use(await openTestStore(kind));
    const { url } = stack.use(await startService({ store: store.url, workers: 2 }));
    const workers = await pinToWorkers(url, 2);
    for (const worker of workers) stack.defer(() => worker.close());
    [writer, reader] = workers as [PinnedClient, PinnedClient];
  });
  afterAll(() => stack.disposeAsync());

  function newNode(): string {
    nodes += 1;
    return `node ${nodes}`;
  }

  it("has its new vectors among the neighbours of what the other observes", async () => {
    const nodeId = newNode();
    const lookAt = async (vector: number[]): Promise<string[]> => {
      const sessionId = await createSession(reader, nodeId);
      await reader.call("session.observe", { sessionId, vectors: [vector] });
      const { stm } = await reader.call<StmReply>("session.stm", { sessionId });
      return stm.flat();
    };
    const sessionId = await createSession(writer, nodeId);
    const learnVector = async (vector: number[]): Promise<string | null> => {
      await writer.call("session.observe", { sessionId, vectors: [vector] });
      return (await writer.call<LearnReply>("session.learn", { sessionId })).learned;
    };
    const [own, one, two] = [vectorName([0, 1]), vectorName([0, 0]), vectorName([9, 9])];

    const before = await lookAt([0, 1]);
    const lone = await learnVector([0, 0]);
    const first = await lookAt([0, 1]);
    const pattern = await learnVector([9, 9]);
    const second = await lookAt([0, 1]);

    expect(before).toEqual([own]);
    // One symbol makes no pattern; the second vector has the first as its neighbour.
    expect([lone, pattern]).toEqual([null, expect.stringMatching(/^PTRN/)]);
    expect(first).toEqual([own, one].toSorted());
    expect(second).toEqual([own, one, two].toSorted());
  });

  it("is predicted by the other as corrected, forgotten and cleared", async () => {
    const nodeId = newNode();
    const { learned: name } = await learn(writer, nodeId, [["a"], ["b"], ["c"]]);
    await learn(writer, nodeId, [["a"], ["b"], ["d"]]);
    const ask = async () => {
      const { predictions } = await predict(reader, nodeId, [["a"], ["b"]]);
      return Object.fromEntries(
        predictions.map(({ future, frequency, emotives }) => [
          future.flat().join(),
          { frequency, emotives },
        ]),
      );
    };
    const before = await ask();

    const correction = { frequency: 7, emotives: [{ joy: 1 }, { joy: 0.5 }] };
    await writer.call("node.correct", { nodeId, name, ...correction });
    const corrected = await ask();
    await writer.call("node.forget", { nodeId, name });
    const forgotten = await ask();
    await writer.call("node.clear", { nodeId });
    const cleared = await predict(reader, nodeId, [["a"], ["b"]]);

    const untouched = { frequency: 1, emotives: {} };
    expect(before).toEqual({ c: untouched, d: untouched });
    expect(corrected).toEqual({ c: { frequency: 7, emotives: { joy: 0.75 } }, d: untouched });
    expect(forgotten).toEqual({ d: untouched });
    expect(cleared).toMatchObject({ predictions: [], empty: "NO_PATTERNS" });
  });

  it("is predicted by the other with what was learned within observe and observeSequence", async () => {
    const nodeId = newNode();
    const before = await predict(reader, nodeId, [["a"], ["b"]]);
    const learner = await createSession(writer, nodeId, { maxPatternLength: 3 });

    let observed: ObserveReply | undefined;
    for (const symbol of ["a", "b", "c"]) {
      const input = { sessionId: learner, strings: [symbol] };
      observed = await writer.call<ObserveReply>("session.observe", input);
    }
    const first = await predict(reader, nodeId, [["a"], ["b"]]);
    const sequence = await writer.call<ObserveSequenceReply>("session.observeSequence", {
      sessionId: await createSession(writer, nodeId),
      observations: ["a", "b", "d"].map((symbol) => ({ strings: [symbol] })),
      learnAtEnd: true,
    });
    const second = await predict(reader, nodeId, [["a"], ["b"]]);

    expect(before.empty).toBe("NO_PATTERNS");
    expect(namesOf(first)).toEqual([observed?.learned]);
    expect(new Set(namesOf(second))).toEqual(new Set([observed?.learned, sequence.finalLearned]));
  });

  it("is predicted by the other with figures that follow a finalize", async () => {
    const nodeId = newNode();
    await learn(writer, nodeId, [["s"], ["a", "b"], ["c", "d"], ["e"]]);
    for (let i = 0; i < 2; i += 1) await learn(writer, nodeId, [["a"], ["c"], ["f"]]);
    const ask = () => predict(reader, nodeId, [["a", "x"], ["c"]]);
    const before = await ask();

    await writer.call("node.finalize", { nodeId });
    const after = await ask();

    expect(before.predictions).toMatchObject([
      {
        future: [["f"]],
        entropy: 1,
        normalizedEntropy: 0.3562071871080222,
        globalNormalizedEntropy: 0,
        tfidfScore: 0.5,
      },
      {
        future: [["e"]],
        entropy: 2,
        normalizedEntropy: 0.7124143742160444,
        globalNormalizedEntropy: 0.3562071871080222,
        tfidfScore: 0.375,
      },
    ]);
    expect(after.predictions).toMatchObject([
      {
        future: [["f"]],
        entropy: 1.584962500721156,
        normalizedEntropy: 0.5645750340535797,
        globalNormalizedEntropy: 0.1781035935540111,
        tfidfScore: 0.4444444444444444,
      },
      {
        future: [["e"]],
        entropy: 2.584962500721156,
        normalizedEntropy: 0.9207822211616017,
        globalNormalizedEntropy: 0.7124143742160444,
        tfidfScore: 0.27777777777777773,
      },
    ]);
    const potentialsOf = ({ predictions }: PredictReply) =>
      predictions.map(({ potential }) => potential);
    expect(potentialsOf(after)).toEqual(potentialsOf(before));
  });
});

async function createSession(
  worker: PinnedClient,
  nodeId: string,
  config: object = {},
): Promise<string> {
  const input = { nodeId, config };
  const { sessionId } = await worker.call<{ sessionId: string }>("session.create", input);
  return sessionId;
}

/** Observes the events in a session of its own, and gives that. */
async function observe(worker: PinnedClient, nodeId: string, events: string[][]): Promise<string> {
  const sessionId = await createSession(worker, nodeId);
  const observations = events.map((strings) => ({ strings }));
  await worker.call("session.observeSequence", { sessionId, observations });
  return sessionId;
}

async function learn(
  worker: PinnedClient,
  nodeId: string,
  events: string[][],
): Promise<LearnReply> {
  const sessionId = await observe(worker, nodeId, events);
  return worker.call<LearnReply>("session.learn", { sessionId });
}

async function predict(
  worker: PinnedClient,
  nodeId: string,
  events: string[][],
): Promise<PredictReply> {
  const sessionId = await observe(worker, nodeId, events);
  return worker.call<PredictReply>("session.predict", { sessionId });
}

function namesOf({ predictions }: PredictReply): string[] {
  return predictions.map(({ name }) => `PTRN|${name}`);
}
