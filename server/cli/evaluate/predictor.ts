/** Learned sequences, their events as numbers below `events`. */
export interface Training {
  sequences: readonly (readonly number[])[];
  events: number;
}

/**
 * Gives the probability of every outcome after a context: of each event by its number, at `events` that the sequence is
 * over, and at `events` + 1 that an event comes which was never learned. Such events have that number in a context.
 */
export interface NextPredictor {
  predict(context: readonly number[]): Float64Array;
}

export type Method = (training: Training) => NextPredictor;
