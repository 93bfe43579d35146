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

/** A parameter as the URL has it; undefined unless it stands there once. */
export function rawParameter(url: string, name: string): string | undefined {
  const [, query = ""] = splitAt(url, "?");
  const [raw, ...others] = query.split("&").filter((part) => part.startsWith(`${name}=`));
  return others.length === 0 ? raw?.slice(name.length + 1) : undefined;
}

export function withRawParameter(url: string, name: string, raw: string): string {
  const [path, query = ""] = splitAt(url, "?");
  const parts = query.split("&");
  return `${path}?${parts.map((part) => (part.startsWith(`${name}=`) ? `${name}=${raw}` : part)).join("&")}`;
}

function splitAt(text: string, mark: string): [before: string, after?: string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** Of what is no escape, or escapes no UTF-8, the text as it stands, where nothing is decoded; else undefined. */
export function undecodable(raw: string): string | undefined {
  try {
    decodeURIComponent(raw);
    return undefined;
  } catch {
    return raw.replaceAll("+", " ");
  }
}
