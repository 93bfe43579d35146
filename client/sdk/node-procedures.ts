import type { TRPCClient } from "@trpc/client";
import type { CallOptions } from "./options.ts";
import { procedureOptions } from "./procedure-options.ts";
import type { KatoInputs, KatoOutputs, KatoRouter } from "./router-types.ts";

type Inputs = KatoInputs["node"];
type Outputs = KatoOutputs["node"];
type Procedure<Name extends keyof Inputs> = (
  input: Inputs[Name],
  options?: CallOptions,
) => Promise<Outputs[Name]>;

/** The long-term memory of nodes, which all sessions of a node share. Every method throws a KatoError. */
export type NodeProcedures = {
  /** A page of nodes; `nextCursor` continues it, null is the last. */
  list(input?: Inputs["list"], options?: CallOptions): Promise<Outputs["list"]>;
  /** How much the node holds. NODE_NOT_FOUND where no session was ever created on it. */
  stats: Procedure<"stats">;
  /** A page of the node's patterns, in the order of their first learn. */
  patterns: Procedure<"patterns">;
  /** One pattern by its name. PATTERN_NOT_FOUND when there is none. */
  pattern: Procedure<"pattern">;
  /** Sets a pattern's frequency, emotives or metadata; what is not given stays. */
  correct: Procedure<"correct">;
  /** Forgets a pattern. PATTERN_NOT_FOUND when there is none (any more). */
  forget: Procedure<"forget">;
  /** Statistics of the symbols asked for, or a page of all. */
  symbols: Procedure<"symbols">;
  /** Fixes the intrinsic metrics of every pattern there is, for the predictions to come. */
  finalize: Procedure<"finalize">;
  /** Empties the node's long-term memory; its sessions keep what is theirs. */
  clear: Procedure<"clear">;
};

export function nodeProcedures(node: TRPCClient<KatoRouter>["node"]): NodeProcedures {
  return {
    list: (input, options) => node.list.query(input, procedureOptions(options)),
    stats: (input, options) => node.stats.query(input, procedureOptions(options)),
    patterns: (input, options) => node.patterns.query(input, procedureOptions(options)),
    pattern: (input, options) => node.pattern.query(input, procedureOptions(options)),
    correct: (input, options) => node.correct.mutate(input, procedureOptions(options)),
    forget: (input, options) => node.forget.mutate(input, procedureOptions(options)),
    symbols: (input, options) => node.symbols.query(input, procedureOptions(options)),
    finalize: (input, options) => node.finalize.mutate(input, procedureOptions(options)),
    clear: (input, options) => node.clear.mutate(input, procedureOptions(options)),
  };
}
