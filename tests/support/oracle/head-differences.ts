import type { Answer } from "./answer.ts";
import { itemsOf } from "./answer.ts";
import type { PartDifference } from "./difference.ts";
import type { Sides } from "./two-wires.ts";

const without = (answer: Answer, name: string): Answer => {
  const { [name]: _, ...head } = answer.head;
  return { ...answer, head };
};

const bothWithout = ({ ours, stock }: Sides<Answer>, name: string): Sides<Answer> => ({
  ours: without(ours, name),
  stock: without(stock, name),
});

/** In what stands in the head of a reply. */
export const HEAD_DIFFERENCES: PartDifference<Answer>[] = [
  {
    name: "the head tells the request id",
    reason: "a caller finds a call in the log by it, whatever becomes of the body",
    level(sides) {
      const { ours, stock } = sides;
      const isTold = ours.head["x-request-id"] !== undefined;
      const occurs = isTold && stock.head["x-request-id"] === undefined;
      return occurs ? bothWithout(sides, "x-request-id") : undefined;
    },
  },
  {
    name: "the type of every answer is JSON in UTF-8",
    reason: "the adapter leaves the charset out, and calls a whole refusal plain text",
    level(sides) {
      const { ours, stock } = sides;
      const types = ["application/json", "text/plain;charset=UTF-8"];
      const occurs =
        ours.head["content-type"] === "application/json; charset=utf-8" &&
        types.includes(stock.head["content-type"] ?? "");
      return occurs ? bothWithout(sides, "content-type") : undefined;
    },
  },
  {
    name: "no header says on which headers the answer depends",
    reason: "no cache keeps an answer, for none says how long it holds",
    level(sides) {
      const { ours, stock } = sides;
      const occurs =
        ours.head["vary"] === undefined && stock.head["vary"] === "trpc-accept, accept";
      return occurs ? bothWithout(sides, "vary") : undefined;
    },
  },
  {
    name: "no header says which method is right",
    reason: "the message does, for each call of a batch",
    level(sides) {
      const { ours, stock } = sides;
      const isWrong = itemsOf(stock)?.some(({ error }) => error?.json.data.httpStatus === 405);
      const occurs =
        ours.head["allow"] === undefined && stock.head["allow"] !== undefined && isWrong;
      return occurs === true ? bothWithout(sides, "allow") : undefined;
    },
  },
  {
    name: "a header says when to come again",
    reason: "the contract has it beside `retryAfterMs`; the adapter knows no such thing",
    level(sides) {
      const { ours, stock } = sides;
      const waits = itemsOf(ours)?.map(({ error }) => error?.json.data.retryAfterMs ?? 0) ?? [];
      const seconds = Math.ceil(Math.max(...waits) / 1_000);
      const isTold = seconds > 0 && ours.head["retry-after"] === String(seconds);
      const occurs = isTold && stock.head["retry-after"] === undefined;
      return occurs ? bothWithout(sides, "retry-after") : undefined;
    },
  },
];
