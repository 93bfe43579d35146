import {
  changeNodeInputSchema,
  correctInputSchema,
  forgetInputSchema,
  listNodesInputSchema,
  listPatternsInputSchema,
  listSymbolsInputSchema,
  nodeInputSchema,
  patternInputSchema,
} from "@kato-rpc/shared/node.ts";
import { procedure, router } from "./trpc.ts";

export const nodeRouter = router({
  list: procedure
    .input(listNodesInputSchema)
    .query(({ input, ctx }) => ctx.directory.listNodes(input?.cursor, input?.limit)),
  stats: procedure.input(nodeInputSchema).query(({ input, ctx }) => ctx.nodes.stats(input.nodeId)),
  patterns: procedure
    .input(listPatternsInputSchema)
    .query(({ input, ctx }) => ctx.nodes.patterns(input)),
  pattern: procedure.input(patternInputSchema).query(({ input, ctx }) => ctx.nodes.pattern(input)),
  correct: procedure
    .input(correctInputSchema)
    .mutation(({ input, ctx }) => ctx.nodes.correct(input)),
  forget: procedure.input(forgetInputSchema).mutation(({ input, ctx }) => ctx.nodes.forget(input)),
  symbols: procedure
    .input(listSymbolsInputSchema)
    .query(({ input, ctx }) => ctx.nodes.symbols(input)),
  finalize: procedure
    .input(changeNodeInputSchema)
    .mutation(({ input, ctx }) => ctx.nodes.finalize(input)),
  clear: procedure
    .input(changeNodeInputSchema)
    .mutation(({ input, ctx }) => ctx.nodes.clear(input)),
});
