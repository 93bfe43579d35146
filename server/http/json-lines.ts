import type { IncomingHttpHeaders } from "node:http";
import { parseJson } from "@kato-rpc/shared/parse-json.ts";
import { transformer } from "@kato-rpc/shared/transformer.ts";

const JSON_LINES = "application/jsonl";

/** Whether tRPC's streaming link asks: it reads nothing but JSON lines. */
export function wantsJsonLines(headers: IncomingHttpHeaders): boolean {
  const asked = headers["trpc-accept"] ?? headers.accept ?? "";
  return asked.includes(JSON_LINES);
}

type Item = { result?: { data: unknown }; error?: unknown };

/**
 * The answers of a batch in the form of tRPC's streams: a line with what is known at first, then one for each promise
 * in it. Here the first has all, for the answers of a batch are sent together.
 */
export function jsonLinesOf(answers: readonly { json: string }[]): string {
  const items = answers.map(({ json }) => {
    const { result, error } = parseJson(json) as Item;
    return result === undefined
      ? { error: transformer.deserialize(error) }
      : { result: { data: transformer.deserialize(result.data) } };
  });
  const line = Object.fromEntries(items.map((item, i) => [i, [[item]]]));
  return `${JSON.stringify(transformer.serialize(line))}\n`;
}
