import { jsonlStreamConsumer } from "@trpc/server/unstable-core-do-not-import";
import { transformer } from "@kato-rpc/shared/transformer.ts";
import type { TextReply, WireError, WireRequest } from "../wire.ts";
import { readAsked } from "./asked.ts";
import { withoutChance } from "./without-chance.ts";

/** One call's part of an answer. */
export type Item = {
  result?: { data: { json?: unknown; meta?: unknown }; requestId?: string; sessionId?: string };
  error?: { json: Omit<WireError, "data"> & { data: Partial<WireError["data"]> } };
};

/** What is compared of a reply; of the head only what somebody set on purpose. */
export type Answer = {
  status: number;
  head: Record<string, string>;
  /** An item, or the items of a batch, or what stands there in their place. */
  body: unknown;
};

/** Set by Node, by Fastify or by the body's length. */
const OF_TRANSPORT = ["date", "connection", "keep-alive", "content-length", "transfer-encoding"];

/** Without what is drawn by lot, but for the sessions `known`. */
export async function readAnswer(
  request: WireRequest,
  reply: TextReply,
  known: ReadonlySet<string>,
): Promise<Answer> {
  const { status, text } = reply;
  const names = Object.keys(reply.headers).filter((name) => !OF_TRANSPORT.includes(name));
  const head = Object.fromEntries(names.map((name) => [name, reply.headers[name] ?? ""]));
  const { wantsLines, isBatch } = readAsked(request);
  const isStream = wantsLines && isBatch && status === 200 && text !== "";
  const body = isStream ? await readLines(text) : parsed(text);
  return { status, head, body: withoutChance(body, known) };
}

function parsed(text: string): unknown {
  return text === "" ? "" : (JSON.parse(text) as unknown);
}

/** The items of a streamed batch, as they would stand in one that is not. */
async function readLines(text: string): Promise<unknown> {
  type Streamed = { error: unknown } | { result: Promise<{ data: Promise<unknown> }> };
  const [head] = await jsonlStreamConsumer<Record<string, Promise<Streamed>>>({
    from: new Blob([text]).stream(),
    deserialize: (data: unknown) => transformer.deserialize(data),
    abortController: new AbortController(),
  });
  return Promise.all(
    Object.values(head).map(async (streamed) => {
      const item = await streamed;
      if ("error" in item) return { error: transformer.serialize(item.error) };
      const { data } = await item.result;
      return { result: { data: transformer.serialize(await data) } };
    }),
  );
}

/** What Fastify says by itself has an `error` as well, but that is a text. */
export function isItem(value: unknown): value is Item {
  if (typeof value !== "object" || value === null) return false;
  const { result, error } = value as Partial<Record<string, unknown>>;
  return typeof result === "object" || typeof error === "object";
}

/** What is told of the error that is all of an answer; undefined where the answer is anything else. */
export function refusalOf({ body }: Answer): NonNullable<Item["error"]>["json"] | undefined {
  return isItem(body) ? body.error?.json : undefined;
}

/** The items of an answer, of a single call as of a batch; undefined where it is anything else. */
export function itemsOf({ body }: Answer): Item[] | undefined {
  const items: unknown[] = Array.isArray(body) ? body : [body];
  return items.every(isItem) ? items : undefined;
}
