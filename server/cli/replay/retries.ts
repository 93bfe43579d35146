/** Fewer than the SDK's own: somebody waits at the terminal, and a service that went away is not coming back. */
export const RETRIES = 5;
