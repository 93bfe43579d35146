import type { ParseArgsOptionsConfig } from "node:util";
import { parseArgs } from "node:util";
import { formatColumns } from "./columns.ts";
import type { Output, Screen } from "./screen.ts";
import { UsageError } from "./usage-error.ts";

export type Flag = {
  /** How its value is called in the help; absent: the flag takes none. */
  value?: string;
  /** The environment variable that sets the same. */
  variable?: string;
  default?: string;
  meaning: string;
};

export type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** One of the commands of `kato`; its file is loaded only when it is called. */
export type Command = {
  name: string;
  /** Arguments besides flags, as the usage line shows them. */
  parameters: readonly string[];
  about: string;
  flags: Readonly<Record<string, Flag>>;
  examples: readonly string[];
  /** Gives the exit code. @throws UsageError */
  run(call: { flags: Flags; parameters: readonly string[]; screen: Screen }): Promise<number>;
};

/** Common to all commands. */
const HELP: Flag = { meaning: "this text" };

export const JSON_FLAG: Flag = { meaning: "one JSON document on standard output, for programs" };

/** Runs a command with the rest of the command line; gives the exit code. @throws UsageError */
export async function runCommand(
  command: Command,
  args: readonly string[],
  screen: Screen,
): Promise<number> {
  const { values, positionals } = readArguments(command, args);
  if (values["help"] === true) {
    showHelp(command, screen.result);
    return 0;
  }
  const { parameters } = command;
  if (positionals.length !== parameters.length) {
    const wanted = parameters.length === 0 ? "no arguments besides flags" : parameters.join(" ");
    // Counted, not repeated: an address in the wrong place may hold a password.
    const given = positionals.length === 0 ? "none" : `${positionals.length} of them`;
    throw new UsageError(`expected ${wanted}, given ${given}; see kato ${command.name} --help`);
  }
  return command.run({ flags: values, parameters: positionals, screen });
}

function readArguments(command: Command, args: readonly string[]) {
  const options: ParseArgsOptionsConfig = { help: { type: "boolean", short: "h" } };
  for (const [name, { value }] of Object.entries(command.flags)) {
    options[name] = { type: value === undefined ? "boolean" : "string" };
  }
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
      strict: true,
    });
    return { values: values as Flags, positionals };
  } catch (error) {
    // parseArgs adds advice of several sentences or lines.
    const [first = ""] = (error as Error).message.split(/\. |\n/);
    const problem = first.replace(/\.$/, "");
    throw new UsageError(`${problem}; see kato ${command.name} --help`, { cause: error });
  }
}

function showHelp(command: Command, output: Output): void {
  const { name, parameters, about, flags, examples } = command;
  const all = Object.entries({ ...flags, help: HELP });
  const hasVariables = all.some(([, { variable }]) => variable !== undefined);
  const rows = all.map(([flag, { value = "", variable = "", default: usual, meaning }]) => {
    const shown = `  --${flag} ${value}`.trimEnd();
    if (hasVariables) return [shown, variable, usual ?? "", meaning];
    return [shown, usual === undefined ? meaning : `${meaning} (default ${usual})`];
  });
  output.line(`${output.style("bold", ["kato", name, ...parameters].join(" "))} [flags]`);
  output.line();
  output.line(about);
  output.line();
  output.line(output.style("bold", "Flags"));
  for (const row of formatColumns(rows)) output.line(row);
  output.line();
  output.line(output.style("bold", "Examples"));
  for (const example of examples) output.line(`  ${example}`);
}
