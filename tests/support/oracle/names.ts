import type { WireRequest } from "../wire.ts";
import { PROCEDURES } from "../wire.ts";

/** Behind a name, so that it is no procedure's. */
export const NO_PROCEDURE = "!";

/** As it stands where it cannot be decoded. */
export function decodedOnce(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** The request with its path so written that the adapter, which decodes it twice, reads what others read at once. */
export function withPathForTwo(
  request: WireRequest,
  change: (path: string) => string = (path) => path,
): WireRequest {
  const [path = "", ...query] = request.path.split("?");
  const changed = change(decodedOnce(path.slice("/trpc/".length)));
  const twice = encodeURIComponent(encodeURIComponent(changed));
  return { ...request, path: [`/trpc/${twice}`, ...query].join("?") };
}

/** The batch with names that are no procedure's in place of those of the other kind than its method's. */
export function withoutWrongKind(request: WireRequest): WireRequest {
  const kinds = new Map<string, string>(Object.entries(PROCEDURES));
  const kind = request.method === "POST" ? "mutation" : "query";
  const renamed = (name: string) =>
    (kinds.get(name) ?? kind) === kind ? name : `${name}${NO_PROCEDURE}`;
  return withPathForTwo(request, (path) => decodedOnce(path).split(",").map(renamed).join(","));
}
