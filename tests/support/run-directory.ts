/**
 * Names the directory of this run of the tests, made by the global setup and shared by its workers. It holds the
 * records of started processes, claimed ports and all temporary directories, and goes when the run ends. The name is
 * outside `KATO_*`, because the server refuses names there that it does not know.
 */
export const RUN_DIRECTORY_VARIABLE = "TEST_RUN_DIRECTORY";

/** The directory of this run; undefined outside a run, as when support code is used from a script. */
export function findRunDirectory(): string | undefined {
  return process.env[RUN_DIRECTORY_VARIABLE];
}
