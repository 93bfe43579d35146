import { transformer } from "@kato-rpc/shared/transformer.ts";
import type { WireRequest } from "../wire.ts";

/** The request with other inputs: what stands in its body or its query, read and written as JSON. */
export function withInputs(
  request: WireRequest,
  change: (inputs: unknown) => unknown,
): WireRequest {
  const changed = (text: string) => JSON.stringify(change(JSON.parse(text)));
  if (request.method === "POST") return { ...request, body: changed(String(request.body)) };
  const [path = "", query = ""] = request.path.split("?");
  const parameters = new URLSearchParams(query);
  parameters.set("input", changed(parameters.get("input") ?? ""));
  return { ...request, path: `${path}?${parameters.toString()}` };
}

/** An input that no procedure takes, in an envelope that can be read. */
export const NO_INPUT = "in place of a broken envelope";

/** The inputs of a batch with `NO_INPUT` for each that is not an envelope, or one that cannot be read. */
export function withWholeEnvelopes(inputs: unknown): unknown {
  const entries = Object.entries(inputs as object).map(([key, envelope]): [string, unknown] => [
    key,
    isWhole(envelope) ? envelope : { json: NO_INPUT },
  ]);
  return Object.fromEntries(entries);
}

function isWhole(envelope: unknown): boolean {
  try {
    // A copy, since reading changes what it reads.
    transformer.deserialize(structuredClone(envelope));
    return true;
  } catch {
    return false;
  }
}
