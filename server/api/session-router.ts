import {
  clearStmInputSchema,
  configureInputSchema,
  countSessionsInputSchema,
  createInputSchema,
  deleteInputSchema,
  extendInputSchema,
  learnInputSchema,
  listSessionsInputSchema,
  nextInputSchema,
  observeInputSchema,
  observeSequenceInputSchema,
  predictInputSchema,
  sessionInputSchema,
} from "@kato-rpc/shared/session.ts";
import type { PreparedReply } from "../sessions/prepared-reply.ts";
import { procedure, router } from "./trpc.ts";

/** What the caller will get; whoever calls the router without the service's dispatch gets its JSON instead. */
function asWritten<Reply>(prepared: PreparedReply<Reply>): Reply {
  return prepared as unknown as Reply;
}

export const sessionRouter = router({
  create: procedure
    .input(createInputSchema)
    .mutation(({ input, ctx }) => ctx.sessions.create(input, ctx.call)),
  get: procedure
    .input(sessionInputSchema)
    .query(({ input, ctx }) => ctx.sessions.get(input.sessionId, ctx.call)),
  exists: procedure
    .input(sessionInputSchema)
    .query(({ input, ctx }) => ctx.sessions.exists(input.sessionId, ctx.call)),
  list: procedure
    .input(listSessionsInputSchema.optional())
    .query(({ input = {}, ctx }) => ctx.directory.list(input)),
  count: procedure
    .input(countSessionsInputSchema.optional())
    .query(({ input, ctx }) => ctx.directory.count(input?.nodeId, ctx.call.deadlineAt)),
  extend: procedure
    .input(extendInputSchema)
    .mutation(({ input, ctx }) => ctx.sessions.extend(input, ctx.call)),
  configure: procedure
    .input(configureInputSchema)
    .mutation(({ input, ctx }) => ctx.sessions.configure(input, ctx.call)),
  delete: procedure
    .input(deleteInputSchema)
    .mutation(({ input, ctx }) => ctx.sessions.delete(input, ctx.call)),
  observe: procedure
    .input(observeInputSchema)
    .mutation(({ input, ctx }) => ctx.sessions.observe(input, ctx.call)),
  observeSequence: procedure
    .input(observeSequenceInputSchema)
    .mutation(({ input, ctx }) => ctx.sessions.observeSequence(input, ctx.call)),
  learn: procedure
    .input(learnInputSchema)
    .mutation(({ input, ctx }) => ctx.sessions.learn(input, ctx.call)),
  predict: procedure
    .input(predictInputSchema)
    .query(async ({ input, ctx }) => asWritten(await ctx.sessions.predict(input, ctx.call))),
  next: procedure
    .input(nextInputSchema)
    .query(async ({ input, ctx }) => asWritten(await ctx.sessions.next(input, ctx.call))),
  cognition: procedure
    .input(sessionInputSchema)
    .query(({ input, ctx }) => ctx.sessions.cognition(input.sessionId, ctx.call)),
  stm: procedure
    .input(sessionInputSchema)
    .query(({ input, ctx }) => ctx.sessions.stm(input.sessionId, ctx.call)),
  clearStm: procedure
    .input(clearStmInputSchema)
    .mutation(({ input, ctx }) => ctx.sessions.clearStm(input, ctx.call)),
  percept: procedure
    .input(sessionInputSchema)
    .query(({ input, ctx }) => ctx.sessions.percept(input.sessionId, ctx.call)),
});
