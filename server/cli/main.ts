import { VERSION } from "../version.ts";
import { serve } from "./serve.ts";

/** `kato COMMAND …`: picks the command; sets the exit code. */
export async function main(args: readonly string[]): Promise<void> {
  const [command, ...rest] = args;
  switch (command) {
    case "serve":
      return serve(rest);
    default:
      process.stdout.write(`kato ${VERSION}\n`);
  }
}
