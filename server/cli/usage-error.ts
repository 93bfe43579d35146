/** The command line itself is wrong: one line on standard error, exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
