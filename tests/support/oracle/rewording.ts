import type { WireRequest } from "../wire.ts";

export function withoutHeaders(request: WireRequest, ...names: string[]): WireRequest {
  const headers = Object.entries(request.headers ?? {}).filter(([name]) => !names.includes(name));
  return { ...request, headers: Object.fromEntries(headers) };
}

export function withoutParameter(request: WireRequest, name: string): WireRequest {
  const [path = "", query = ""] = request.path.split("?");
  const parameters = new URLSearchParams(query);
  parameters.delete(name);
  return { ...request, path: `${path}?${parameters.toString()}` };
}
