import { PROCEDURES } from "../../wire.ts";
import type { PreparedStore } from "../prepared-store.ts";
import { takenInput } from "../taken-inputs.ts";
import type { HandMade } from "./hand-made.ts";
import { get, getWith, post, postWith } from "./hand-made.ts";

const MEASURED = "the monitor tells what this service has done";

const NAMES = Object.entries(PROCEDURES);

function measured(name: string): string[] {
  return name.startsWith("monitor.") ? [MEASURED] : [];
}

/** Every procedure, with an input that it takes. */
export const EACH_PROCEDURE = NAMES.map(([name, kind]): HandMade => {
  const request = (prepared: PreparedStore) => {
    const input = takenInput(name, prepared);
    const envelope = input === undefined ? undefined : { json: input };
    return kind === "query" ? getWith(name, envelope) : postWith(name, envelope);
  };
  return [name, request, ...measured(name)];
});

/** Every procedure, with none. */
export const WITHOUT_INPUT = NAMES.map(([name, kind]): HandMade => {
  const request = () => (kind === "query" ? get(name) : post(name, undefined));
  return [name, request, ...measured(name)];
});
