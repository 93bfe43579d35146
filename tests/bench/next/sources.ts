import { randomFrom } from "../../support/random.ts";
import type { Sequence } from "@kato-rpc/server/cli/evaluate/splits.ts";
import { zipf } from "./zipf.ts";

/** A source whose next symbol depends on the last `order`: each context has a few continuations, or ends. */
export function markovSource(options: {
  order: number;
  symbols: number;
  /** First events that depend on nothing; `order` of them make it stationary. */
  free?: number;
  count: number;
  seed: number;
}): Sequence[] {
  const random = randomFrom(options.seed);
  const draw = zipf(random, options.symbols, 1);
  const weight = (): number => -Math.log(1 - random());
  const continuations = new Map<string, [symbol: number | undefined, weight: number][]>();
  const next = (context: string): number | undefined => {
    let possible = continuations.get(context);
    if (possible === undefined) {
      const count = 1 + Math.floor(random() * 4);
      possible = Array.from({ length: count }, () => [draw(), weight()]);
      possible.push([undefined, weight() / 4]);
      continuations.set(context, possible);
    }
    let left = random() * possible.reduce((sum, [, each]) => sum + each, 0);
    return possible.find(([, each]) => (left -= each) <= 0)?.[0];
  };
  return Array.from({ length: options.count }, () => {
    const { free = options.order } = options;
    const sequence = Array.from({ length: free }, draw);
    for (let length = free; length < 40; length += 1) {
      const symbol = next(sequence.slice(-options.order).join());
      if (symbol === undefined) break;
      sequence.push(symbol);
    }
    return sequence.map(String);
  });
}

/** Cases of two kinds with activities in either order, loops whose odds depend on the kind, and some noise. */
export function processSource({ count, seed }: { count: number; seed: number }): Sequence[] {
  const random = randomFrom(seed);
  const chance = (odds: number): boolean => random() < odds;
  return Array.from({ length: count }, () => {
    const isSimple = chance(0.7);
    const review = isSimple ? "review" : "expert review";
    const sequence = ["register", ...(chance(0.5) ? ["check", "file"] : ["file", "check"])];
    let reviews = 0;
    do {
      sequence.push(review);
      if (chance(0.3)) sequence.push("ask");
      reviews += 1;
    } while (reviews < 6 && chance(isSimple ? 0.2 : 0.5));
    if (chance(0.1)) sequence.push("escalate");
    sequence.push(reviews > 2 ? "reject" : "accept");
    if (chance(0.5)) sequence.push("pay");
    if (chance(0.85)) sequence.push("close");
    if (chance(0.05)) sequence.push("reopen", review, "close");
    if (chance(0.05)) sequence.splice(Math.floor(random() * sequence.length), 1);
    return sequence;
  });
}

/** Visits along paths of topics: pages are skipped, seen again and left for others; pages and topics are Zipf. */
export function clickSource(options: {
  pages: number;
  topics: number;
  /** Odds that a page is one of the last three again. */
  repeats: number;
  /** Odds that pages of the path are skipped. */
  skips: number;
  count: number;
  seed: number;
}): Sequence[] {
  const { repeats, skips } = options;
  const random = randomFrom(options.seed);
  const page = zipf(random, options.pages, 1.1);
  const paths = Array.from({ length: options.topics }, () =>
    Array.from({ length: 5 + Math.floor(random() * 20) }, page),
  );
  const topic = zipf(random, options.topics, 0.8);
  return Array.from({ length: options.count }, () => {
    let path = paths[topic()] ?? [];
    let at = Math.floor(random() * path.length * 0.5);
    const length = 2 + Math.floor(-Math.log(1 - random()) * 4);
    const sequence: number[] = [];
    while (sequence.length < length) {
      const drawn = random();
      if (drawn < repeats && sequence.length > 0) {
        const back = 1 + Math.floor(random() * 3);
        sequence.push(sequence[Math.max(0, sequence.length - back)] ?? 0);
        continue;
      }
      if (drawn < repeats + 0.1) {
        sequence.push(page());
        continue;
      }
      if (drawn < repeats + 0.14) {
        path = paths[topic()] ?? [];
        at = 0;
      } else {
        at += drawn < repeats + 0.14 + skips ? 2 + Math.floor(random() * 3) : 1;
      }
      sequence.push(path[at % path.length] ?? 0);
    }
    return sequence.map(String);
  });
}
