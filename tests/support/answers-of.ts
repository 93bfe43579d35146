import type { Answer } from "../../server/http/answers.ts";
import type { RpcDispatch } from "../../server/http/rpc-dispatch.ts";
import type { RpcRequest } from "../../server/http/rpc-request.ts";

/** What the dispatch answers to a request. */
export function answersOf(
  dispatch: RpcDispatch,
  request: RpcRequest,
  requestId: string,
): Promise<Answer[]> {
  return new Promise((answered, failed) =>
    dispatch.answer(request, requestId, { answered, failed }),
  );
}
