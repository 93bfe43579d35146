import { isUtf8 } from "node:buffer";
import type { Item } from "./answer.ts";
import { itemsOf, refusalOf } from "./answer.ts";
import { BROKEN_ENVELOPE, WRONG_KIND } from "./call-differences.ts";
import type { WholeDifference } from "./difference.ts";
import { withInputs, withWholeEnvelopes } from "./inputs.ts";
import { withoutWrongKind } from "./names.ts";
import {
  rawParameter,
  undecodable,
  withoutHeaders,
  withoutParameter,
  withRawParameter,
} from "./rewording.ts";
import { INVALID, over, refuses } from "./refusal.ts";

const NO_OBJECT = '"input" needs to be an object when doing a batch call';

/** In what is made of a request of tRPC's wire as a whole. */
export const RPC_DIFFERENCES: WholeDifference[] = [
  {
    name: "too many calls in a batch are LIMIT_EXCEEDED, 413 in place of 400",
    reason: "the error table has one status for whatever is over a limit",
    occurs: ({ ours, stock }) =>
      refusalOf(stock)?.message === "Batch call exceeds maximum size" &&
      refuses(ours, over("callsPerBatch")),
  },
  {
    ...WRONG_KIND,
    occurs: ({ stock }, { isBatch }) =>
      isBatch && refusalOf(stock)?.message.startsWith("Cannot mix procedure types") === true,
    instead: withoutWrongKind,
  },
  {
    name: "a batch whose inputs cannot be read is refused with one error",
    reason: "no call of it is made; tRPC's links give it to each call",
    occurs: ({ ours, stock }, { isBatch }) =>
      isBatch &&
      itemsOf(stock)?.every(({ error }) => error !== undefined) === true &&
      refuses(ours, INVALID) &&
      /is not valid JSON$|^the input of a batch is an object/.test(refusalOf(ours)?.message ?? ""),
  },
  {
    name: "the inputs of a batch may stand in a list",
    reason: "keyed by position, as in the object that the adapter insists on",
    occurs: ({ ours, stock }, { isBatch }) =>
      isBatch &&
      Array.isArray(ours.body) &&
      itemsOf(stock)?.some(({ error }) => error?.json.message === NO_OBJECT) === true,
    instead: (request) =>
      withInputs(request, (inputs) => Object.fromEntries(Object.entries(inputs as unknown[]))),
  },
  {
    ...BROKEN_ENVELOPE,
    occurs: ({ ours, stock }, { isBatch }) => {
      const own = itemsOf(ours) ?? [];
      const isOfAnother = (item: Item, i: number) =>
        isOfEnvelope(item) && own[i]?.error?.json.message !== item.error?.json.message;
      return isBatch && own.length > 1 && itemsOf(stock)?.some(isOfAnother) === true;
    },
    instead: (request) => withInputs(request, withWholeEnvelopes),
  },
  {
    name: "a parameter stands once",
    reason: "whichever was meant, the other would be overlooked; the adapter takes the first",
    isUneven: true,
    occurs: ({ ours }, { query }) =>
      (query.getAll("input").length > 1 && refuses(ours, INVALID)) ||
      (query.getAll("batch").length > 1 && !Array.isArray(ours.body)),
  },
  {
    name: "a body is UTF-8 without a byte order mark",
    reason: "bad input is told, not mended; the adapter puts U+FFFD, and leaves out the mark",
    isUneven: true,
    occurs: ({ ours }, { method, body }) =>
      method === "POST" &&
      body !== undefined &&
      (!isUtf8(Buffer.from(body)) || String(body).startsWith("\uFEFF")) &&
      refuses(ours, INVALID),
  },
  {
    name: "an input parameter whose escapes are not UTF-8 is taken as it stands, all of it",
    reason:
      "as Fastify reads queries; the adapter decodes what it can, and either is no text that was meant",
    isUneven: true,
    occurs: (_, { url, query }) => {
      const text = undecodable(rawParameter(url, "input") ?? "");
      return text !== undefined && text !== query.get("input");
    },
    instead: (request) => {
      const text = undecodable(rawParameter(request.path, "input") ?? "") ?? "";
      return {
        ...request,
        path: withRawParameter(request.path, "input", encodeURIComponent(text)),
      };
    },
  },
  {
    name: "connection parameters are not read",
    reason: "no procedure knows of any; the adapter refuses those that are broken",
    occurs: ({ stock }, { query }) =>
      query.has("connectionParams") && refusalOf(stock)?.data.code === "PARSE_ERROR",
    instead: (request) => withoutParameter(request, "connectionParams"),
  },
  {
    name: "a single call is answered at once, whatever it accepts",
    reason: "there is nothing to stream; the adapter refuses it",
    occurs: ({ stock }, { isBatch, wantsLines }) =>
      wantsLines &&
      !isBatch &&
      refusalOf(stock)?.message.startsWith("Streaming requests must be batched") === true,
    instead: (request) => withoutHeaders(request, "trpc-accept", "accept"),
  },
];

/** Whether the call failed for an envelope that cannot be read, its own or another's. */
function isOfEnvelope({ error }: Item): boolean {
  return error?.json.data.kato === "INVALID_INPUT" && error.json.message.includes("superjson");
}
