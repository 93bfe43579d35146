import type { ErrorCode, ErrorDetails } from "@kato-rpc/shared/errors.ts";
import type { HttpReply } from "./http-calls.ts";
import { send } from "./http-calls.ts";

/** One call's part of a batch's answer. */
export type BatchItem = {
  data: unknown;
  error: ({ kato: ErrorCode; requestId: string; httpStatus: number } & ErrorDetails) | undefined;
};

/** Sends mutations in one HTTP request, as tRPC's batch link does. */
export async function sendBatch(
  url: string,
  calls: readonly { path: string; input: unknown }[],
  headers: Record<string, string> = {},
): Promise<HttpReply & { items: BatchItem[] }> {
  const names = calls.map(({ path }) => path).join(",");
  const inputs = Object.fromEntries(calls.map(({ input }, i) => [i, { json: input }]));
  const reply = await send(`${url}/trpc/${names}?batch=1`, {
    method: "POST",
    body: JSON.stringify(inputs),
    headers,
  });
  const answers = JSON.parse(reply.text) as {
    result?: { data: { json: unknown } };
    error?: { json: { data: BatchItem["error"] } };
  }[];
  return {
    ...reply,
    items: answers.map(({ result, error }) => ({
      data: result?.data.json,
      error: error?.json.data,
    })),
  };
}
