import { transformer } from "@kato-rpc/shared/transformer.ts";
import type { KatoErrorShape } from "../../server/api/error-shape.ts";
import { shapeError, toServiceError } from "../../server/api/error-shape.ts";
import { shuttingDown } from "../../server/http/rpc-route.ts";
import type { RpcRequest } from "../../server/http/rpc-request.ts";
import type { Call } from "../../server/sessions/call.ts";
import { PreparedReply } from "../../server/sessions/prepared-reply.ts";
import type { SessionService } from "../../server/sessions/session-service.ts";

type Session = { sessionId: string };
/** What the procedures of the API do, once their input is checked. */
type Procedure = (service: SessionService, input: never, call: Call) => Promise<unknown>;

const PROCEDURES: ReadonlyMap<string, Procedure> = new Map(
  Object.entries({
    "session.create": (service, input, call) => service.create(input, call),
    "session.get": (service, { sessionId }: Session, call) => service.get(sessionId, call),
    "session.configure": (service, input, call) => service.configure(input, call),
    "session.delete": (service, input, call) => service.delete(input, call),
    "session.observe": (service, input, call) => service.observe(input, call),
    "session.observeSequence": (service, input, call) => service.observeSequence(input, call),
    "session.learn": (service, input, call) => service.learn(input, call),
    "session.predict": (service, input, call) => service.predict(input, call),
    "session.next": (service, input, call) => service.next(input, call),
    "session.stm": (service, { sessionId }: Session, call) => service.stm(sessionId, call),
    "session.clearStm": (service, input, call) => service.clearStm(input, call),
  } satisfies Record<string, Procedure>),
);

export type HttpReply = { status: number; text: string };

/**
 * Has the service answer the calls of one request, which it gets in their order, on the wire's terms. `bound` ends a
 * call at its deadline.
 */
export async function answerRequest(
  service: SessionService,
  { request, requestId }: { request: RpcRequest; requestId: string },
  bound: (run: (call: Call) => Promise<unknown>, requestId: string) => Promise<unknown>,
): Promise<HttpReply> {
  const { calls, isBatch } = request;
  const answers = await Promise.all(
    calls.map(async ({ path, payload }, i) => {
      const id = isBatch ? `${requestId}.${i}` : requestId;
      let answered: Call | undefined;
      try {
        const input = transformer.deserialize(payload) as never;
        const data = await bound((call) => {
          answered = call;
          return procedureAt(path)(service, input, call);
        }, id);
        return { status: 200, text: resultText(data, id, answered?.sessionId) };
      } catch (error) {
        const shape = shapeError(toServiceError(error, payload), { path, requestId: id });
        // Nothing that a caller does may find a bug.
        if (shape.data.kato === "INTERNAL") throw error;
        return errorReply(shape);
      }
    }),
  );
  const texts = answers.map(({ text }) => text);
  if (isBatch) return { status: 207, text: `[${texts.join(",")}]` };
  return answers[0]!; // one call, one answer
}

/** What a worker says that takes no more requests. */
export function refuseRequest(requestId: string): HttpReply {
  const shape = shapeError(shuttingDown(), { path: undefined, requestId });
  return errorReply(shape);
}

function errorReply(shape: KatoErrorShape): HttpReply {
  const text = `{"error":${JSON.stringify(transformer.serialize(shape))}}`;
  return { status: shape.data.httpStatus, text };
}

function procedureAt(path: string): Procedure {
  const procedure = PROCEDURES.get(path);
  if (procedure === undefined) throw new Error(`${path} is not simulated`);
  return procedure;
}

function resultText(data: unknown, requestId: string, sessionId: string | undefined): string {
  const envelope =
    data instanceof PreparedReply
      ? `{"json":${data.json}}`
      : JSON.stringify(transformer.serialize(data));
  const session = sessionId === undefined ? "" : `,"sessionId":"${sessionId}"`;
  return `{"result":{"data":${envelope},"requestId":"${requestId}"${session}}}`;
}
