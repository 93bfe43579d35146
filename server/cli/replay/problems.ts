/** Examples that are kept to be shown. */
const SHOWN = 10;
/** After so many failed calls the server is taken for gone: the rest would only fail too. */
const FAILURES_TO_GIVE_UP = 20;

export type CaseProblem = { case: string; problem: string };

/** What went wrong in a replay: counted, the first few kept. */
export class Problems {
  #mismatches = 0;
  #failedCalls = 0;
  readonly #shown: CaseProblem[] = [];

  get isHopeless(): boolean {
    return this.#failedCalls >= FAILURES_TO_GIVE_UP;
  }

  addMismatch(caseId: string, problem: string): void {
    this.#mismatches += 1;
    this.#show(caseId, problem);
  }

  addFailedCall(caseId: string, error: unknown): void {
    this.#failedCalls += 1;
    this.#show(caseId, error instanceof Error ? error.message : String(error));
  }

  report() {
    return {
      ok: this.#mismatches === 0 && this.#failedCalls === 0,
      mismatches: this.#mismatches,
      failedCalls: this.#failedCalls,
      problems: this.#shown,
    };
  }

  #show(caseId: string, problem: string): void {
    if (this.#shown.length < SHOWN) this.#shown.push({ case: caseId, problem });
  }
}
