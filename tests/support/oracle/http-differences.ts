import { LIMITS } from "@kato-rpc/shared/limits.ts";
import { itemsOf, refusalOf } from "./answer.ts";
import type { WholeDifference } from "./difference.ts";
import { decodedOnce, withPathForTwo } from "./names.ts";
import { withoutHeaders } from "./rewording.ts";
import { INVALID, isOfFastify, NOWHERE, over, refuses } from "./refusal.ts";

const ONE_FORM = "every error of the service has one form; the adapter leaves this one to Fastify";

/** In what is made of a request's method, URL, headers and length, before tRPC's part of it is read. */
export const HTTP_DIFFERENCES: WholeDifference[] = [
  {
    name: "another method leads nowhere",
    reason: "the error table has no status for it; the adapter says 405, or 415 without a body",
    occurs: ({ ours, stock }, { method }) =>
      !["GET", "POST"].includes(method) &&
      refuses(ours, NOWHERE) &&
      itemsOf(stock)?.some(({ result }) => result !== undefined) !== true,
  },
  {
    name: "a path outside is refused in the service's own form",
    reason: ONE_FORM,
    occurs: ({ ours, stock }, { path }) =>
      path === undefined && isOfFastify(stock) && refuses(ours, NOWHERE),
  },
  {
    name: "a slash is a part of a name",
    reason: "so that it fails its own call of a batch, and is told the nearest names",
    occurs: ({ stock }, { path = "" }) => path.includes("/") && isOfFastify(stock),
    instead: (request) => {
      const [path = "", ...query] = request.path.split("?");
      const name = path.slice("/trpc/".length).replaceAll("/", "%2F");
      return { ...request, path: [`/trpc/${name}`, ...query].join("?") };
    },
  },
  {
    name: "a URL of bad percent-encoding is refused in the service's own form",
    reason: ONE_FORM,
    occurs: ({ ours, stock }) =>
      stock.status === 400 && isOfFastify(stock, "FST_ERR_BAD_URL") && refuses(ours, INVALID),
  },
  {
    name: "a body too large is refused in the service's own form",
    reason: ONE_FORM,
    occurs: ({ ours, stock }) =>
      stock.status === 413 &&
      isOfFastify(stock, "FST_ERR_CTP_BODY_TOO_LARGE") &&
      refuses(ours, over("requestBodyBytes")),
  },
  {
    name: "a URL too long is LIMIT_EXCEEDED",
    reason: "everything held is bounded; the adapter leaves it to Node's bound of the whole head",
    isUneven: true,
    occurs: ({ ours }, { url }) =>
      url.length > LIMITS.urlCharacters.max && refuses(ours, over("urlCharacters")),
  },
  {
    name: "a path is decoded once",
    reason: "as URLs have it; behind Fastify's own decoding the adapter does it once more",
    isUneven: true,
    occurs: (_, { path = "" }) => decodedOnce(path).includes("%"),
    instead: withPathForTwo,
  },
  {
    name: "a number sign stands for itself",
    reason: "no client sends a fragment; the adapter cuts one off",
    isUneven: true,
    occurs: (_, { url }) => url.includes("#"),
    instead: (request) => ({ ...request, path: request.path.replaceAll("#", "%23") }),
  },
  {
    name: "a body of another type is INVALID_INPUT, 400 in place of 415",
    reason: "the error table has no status for it; no procedure takes a form or bytes",
    occurs: ({ ours, stock }, { method, contentType, body }) =>
      method !== "GET" &&
      contentType !== "application/json" &&
      (contentType !== undefined || body !== undefined) &&
      refuses(ours, { ...INVALID, reason: "CONTENT_TYPE" }) &&
      (stock.status === 415 || contentType === "multipart/form-data"),
  },
  {
    name: "a body left out needs no type",
    reason: "there is nothing that could be of another; the adapter says 415",
    occurs: ({ stock }, { method, contentType, body }) =>
      method === "POST" && contentType === undefined && body === undefined && stock.status === 415,
    instead: (request) => ({
      ...request,
      headers: { ...request.headers, "content-type": "application/json" },
    }),
  },
  {
    name: "a query has no type",
    reason: "a query has no body; the adapter takes some types for a mutation's and says 405",
    occurs: ({ stock }, { method, contentType }) =>
      method === "GET" &&
      contentType !== undefined &&
      refusalOf(stock)?.message.startsWith("Only POST requests are supported") === true,
    instead: (request) => withoutHeaders(request, "content-type"),
  },
];
