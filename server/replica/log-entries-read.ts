/** Entries of a log read and applied at once: some milliseconds of work for the thread. */
export const LOG_ENTRIES_READ = 256;
