import type { MemoryRow, MemoryStatements } from "./memory-statements.ts";

/**
 * Counts so many more learns of a pattern, or fewer, and so many more patterns, for each symbol that
 * occurs in it: 0 or 1, and -1 when the pattern goes. A symbol that no pattern has any more is removed.
 */
export function countSymbols(
  db: MemoryStatements,
  memory: MemoryRow,
  by: {
    occurrences: readonly (readonly [symbol: string, count: number])[];
    learns: number;
    patterns: number;
  },
): void {
  for (const [symbol, count] of by.occurrences) {
    const frequency = count * by.learns;
    const counted = db.countSymbol.get(memory.contents, symbol, frequency, by.patterns);
    const { patterns } = counted as { patterns: number };
    if (patterns === by.patterns && patterns === 1) memory.symbols += 1;
    if (patterns === 0) {
      db.removeSymbol.run(memory.contents, symbol);
      memory.symbols -= 1;
    }
    memory.symbolOccurrences += frequency;
  }
  memory.frequencies += by.learns;
  memory.patterns += by.patterns;
}
