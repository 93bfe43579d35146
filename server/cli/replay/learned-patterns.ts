/** What the learns of one replay were told: each pattern's frequencies, as the service counted them. */
export class LearnedPatterns {
  readonly #frequencies = new Map<string, number[]>();
  /** Cases learned. */
  learns = 0;
  /** Cases of one symbol, which make no pattern. */
  tooShort = 0;

  add({ learned, frequency }: { learned: string | null; frequency: number }): void {
    if (learned === null) {
      this.tooShort += 1;
      return;
    }
    this.learns += 1;
    const told = this.#frequencies.get(learned);
    if (told === undefined) this.#frequencies.set(learned, [frequency]);
    else told.push(frequency);
  }

  /** Distinct patterns. */
  get patterns(): number {
    return this.#frequencies.size;
  }

  /** Patterns for which a learn was lost or counted twice: their frequencies do not rise by one from learn to learn. */
  *miscounted(): Generator<{ pattern: string; problem: string }> {
    for (const [pattern, told] of this.#frequencies) {
      const sorted = told.toSorted((a, b) => a - b);
      const first = sorted[0] ?? 0;
      if (sorted.every((frequency, i) => frequency === first + i)) continue;
      const problem = `learned ${told.length} times, but its frequencies were ${sorted.join(", ")}`;
      yield { pattern, problem: problem.slice(0, 200) };
    }
  }
}
