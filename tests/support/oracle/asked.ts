import type { WireRequest } from "../wire.ts";

/** What a request says, read as tRPC's adapter reads it. */
export type Asked = {
  method: string;
  url: string;
  /** What stands behind `/trpc/`, as it was sent; undefined where that does not. */
  path: string | undefined;
  query: URLSearchParams;
  isBatch: boolean;
  contentType: string | undefined;
  body: string | Buffer | undefined;
  wantsLines: boolean;
};

const PREFIX = "/trpc/";

export function readAsked({ method = "GET", path: url, headers = {}, body }: WireRequest): Asked {
  const mark = url.indexOf("?");
  const whole = mark < 0 ? url : url.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? "" : url.slice(mark));
  return {
    method,
    url,
    path: whole.startsWith(PREFIX) ? whole.slice(PREFIX.length) : undefined,
    query,
    isBatch: query.get("batch") === "1",
    contentType: headers["content-type"]?.split(";")[0]?.trim().toLowerCase(),
    body: body === undefined || body.length === 0 ? undefined : body,
    wantsLines: [headers["trpc-accept"], headers["accept"]].includes("application/jsonl"),
  };
}
