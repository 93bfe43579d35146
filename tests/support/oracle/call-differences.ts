import type { Item } from "./answer.ts";
import type { PartDifference } from "./difference.ts";
import { NO_INPUT } from "./inputs.ts";
import { NO_PROCEDURE } from "./names.ts";
import type { Sides } from "./two-wires.ts";

type ErrorBody = NonNullable<Item["error"]>["json"];

/** Both items with one error, when each has one and the two differ as told. */
function errorsAlike(
  { ours, stock }: Sides<Item>,
  differ: (ours: ErrorBody, stock: ErrorBody) => boolean,
): Sides<Item> | undefined {
  const [ownError, stockError] = [ours.error?.json, stock.error?.json];
  if (ownError === undefined || stockError === undefined) return undefined;
  return differ(ownError, stockError) ? { ours: stock, stock } : undefined;
}

export const BROKEN_ENVELOPE = {
  name: "a broken envelope in a batch fails its own call alone",
  reason: "each call fails by itself; the adapter reads the inputs of a batch in one go",
};

export const WRONG_KIND = {
  name: "a call of the wrong kind in a batch fails alone",
  reason: "each call fails by itself; the adapter refuses the whole batch",
};

/** In the answer to one call, by itself or in a batch. */
export const CALL_DIFFERENCES: PartDifference<Item>[] = [
  {
    name: "a result tells its request and its session",
    reason: "a caller can check that it is the answer to its own call",
    level({ ours, stock }) {
      const { result } = ours;
      if (result?.requestId === undefined || stock.result?.requestId !== undefined)
        return undefined;
      const { sessionId: about } = (result.data.json ?? {}) as { sessionId?: unknown };
      const isOwn = about === undefined || about === result.sessionId;
      return isOwn ? { ours: { result: { data: result.data } }, stock } : undefined;
    },
  },
  {
    name: "each call of a batch has a request id of its own",
    reason: "the log has a line for each call",
    level({ ours, stock }, { isBatch }) {
      const [own, given] = [ours.error?.json.data.requestId, stock.error?.json.data.requestId];
      if (!isBatch || own === undefined || given === undefined) return undefined;
      if (!new RegExp(`^${given}\\.\\d+$`).test(own)) return undefined;
      const text = JSON.stringify(ours).replaceAll(own, given);
      return { ours: JSON.parse(text) as Item, stock };
    },
  },
  {
    name: "an unknown procedure is PROCEDURE_NOT_FOUND",
    reason: "the error table tells it from a missing session, and names the nearest procedures",
    level: (sides) =>
      errorsAlike(
        sides,
        ({ code, data }, stock) =>
          stock.message.startsWith("No procedure found") &&
          data.kato === "PROCEDURE_NOT_FOUND" &&
          data.nearest?.length === 3 &&
          code === stock.code &&
          data.httpStatus === stock.data.httpStatus &&
          data.path === stock.data.path,
      ),
  },
  {
    name: "the wrong method is INVALID_INPUT, 400 in place of 405",
    reason: "the error table has no status of its own for it; the message names the right one",
    level: (sides) =>
      errorsAlike(
        sides,
        ({ data }, stock) =>
          stock.data.httpStatus === 405 &&
          data.httpStatus === 400 &&
          data.kato === "INVALID_INPUT" &&
          data.reason === "METHOD" &&
          data.path === stock.data.path,
      ),
  },
  {
    ...WRONG_KIND,
    level: (sides) =>
      errorsAlike(
        sides,
        ({ data }, stock) =>
          stock.data.path === `${data.path}${NO_PROCEDURE}` &&
          data.httpStatus === 400 &&
          data.kato === "INVALID_INPUT" &&
          data.reason === "METHOD",
      ),
  },
  {
    name: "an input that is not JSON is refused before its procedure is looked for",
    reason: "the whole request is read first; and the parser's message would repeat what it holds",
    level: (sides, { isBatch }) =>
      errorsAlike(
        sides,
        ({ code, message, data }, stock) =>
          !isBatch &&
          /^(the body|the query parameter `input`) is not valid JSON$/.test(message) &&
          data.kato === "INVALID_INPUT" &&
          data.httpStatus === 400 &&
          ((stock.message.includes("JSON") && code === stock.code) ||
            [404, 405].includes(stock.data.httpStatus ?? 0)),
      ),
  },
  {
    ...BROKEN_ENVELOPE,
    level: (sides) =>
      errorsAlike(
        sides,
        ({ code, message, data }, stock) =>
          stock.data.issues?.[0]?.value === JSON.stringify(NO_INPUT) &&
          message.includes("superjson") &&
          code === stock.code &&
          data.kato === stock.data.kato &&
          data.path === stock.data.path,
      ),
  },
  {
    name: "the monitor tells what this service has done",
    reason: "the adapter neither admits nor counts calls; what takes time is never measured alike",
    level({ ours, stock }) {
      const [own, theirs] = [ours.result?.data.json, stock.result?.data.json];
      if (!isMeasured(own) || !isMeasured(theirs)) return undefined;
      return { ours: outlineOf(own, ours), stock: outlineOf(theirs, stock) };
    },
  },
];

/** Every reply of `monitor.*` says when it was made; no other does. */
function isMeasured(json: unknown): json is object {
  return typeof json === "object" && json !== null && "timestamp" in json;
}

function outlineOf(json: object, { result }: Item): Item {
  return { result: { data: { json: Object.keys(json), meta: result?.data.meta } } };
}
