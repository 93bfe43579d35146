/** An outcome is an event's number plus one, or this where the sequence is over. */
export const END_OUTCOME = 0;
