/** An outcome is an event's number plus one, or this where the sequence is over. */
export const END_OUTCOME = 0;

/** In place of the number of an event: one that no pattern has. */
export const UNKNOWN = -1;
/** In place of the number of an event: stands before the first of a sequence, the observed one's too. */
export const BEGINNING = -2;
