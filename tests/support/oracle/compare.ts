import { isDeepStrictEqual } from "node:util";
import type { WireRequest } from "../wire.ts";
import type { Answer, Item } from "./answer.ts";
import { itemsOf } from "./answer.ts";
import type { Asked } from "./asked.ts";
import { readAsked } from "./asked.ts";
import { CALL_DIFFERENCES } from "./call-differences.ts";
import type { PartDifference, WholeDifference } from "./difference.ts";
import { HEAD_DIFFERENCES } from "./head-differences.ts";
import { HTTP_DIFFERENCES } from "./http-differences.ts";
import { RPC_DIFFERENCES } from "./rpc-differences.ts";
import type { Sides, TwoWires } from "./two-wires.ts";

const WHOLE_DIFFERENCES: WholeDifference[] = [...HTTP_DIFFERENCES, ...RPC_DIFFERENCES];

/** What the adapter says to HEAD is then not looked at, but what it says to GET. */
const AS_GET = {
  name: "HEAD is answered as GET, without the body",
  reason: "as HTTP has it; the adapter answers 204, whatever is asked for that reaches it",
};

/** Every way in which the service answers otherwise than tRPC's adapter, on purpose. */
export const DIFFERENCES: { name: string; reason: string }[] = [
  AS_GET,
  ...HEAD_DIFFERENCES,
  ...WHOLE_DIFFERENCES,
  ...CALL_DIFFERENCES,
];

/** Both answers without the differences that occur: then they are equal. */
export type Compared = Sides<unknown> & {
  differences: Set<string>;
  /** Whether only one side may have done what was asked. */
  isUneven: boolean;
};

export async function askBoth(wires: TwoWires, request: WireRequest): Promise<Compared> {
  if (request.method !== "HEAD") return askAlike(wires, request);
  const [head, asGet] = [await wires.askOurs(request), { ...request, method: "GET" }];
  const due = { ...(await wires.askOurs(asGet)), body: "" };
  const compared = await askAlike(wires, asGet);
  compared.differences.add(AS_GET.name);
  return isDeepStrictEqual(head, due) ? compared : { ...compared, ours: head, stock: due };
}

async function askAlike(wires: TwoWires, request: WireRequest): Promise<Compared> {
  const differences = new Set<string>();
  let isUneven = false;
  let sides = await wires.ask(request);
  let asked = readAsked(request);
  let wording = request;
  // Each applies once: what it puts instead brings the answers nearer.
  for (const difference of WHOLE_DIFFERENCES) {
    if (!difference.occurs(sides, asked)) continue;
    differences.add(difference.name);
    isUneven ||= difference.isUneven === true;
    if (difference.instead === undefined) {
      return { ours: undefined, stock: undefined, differences, isUneven };
    }
    wording = difference.instead(wording);
    asked = readAsked(wording);
    sides = { ours: sides.ours, stock: await wires.askStock(wording) };
  }
  return { ...levelled(sides, asked, differences), differences, isUneven };
}

function levelled(sides: Sides<Answer>, asked: Asked, differences: Set<string>): Sides<unknown> {
  const { ours, stock } = level(HEAD_DIFFERENCES, sides, { asked, differences });
  const [own, theirs] = [itemsOf(ours), itemsOf(stock)];
  const statuses = { ours: statusOf(ours, asked), stock: statusOf(stock, asked) };
  if (own?.length !== theirs?.length || own === undefined || theirs === undefined) {
    return { ours, stock };
  }
  const items = own.map((item, i) =>
    level(CALL_DIFFERENCES, { ours: item, stock: theirs[i] ?? {} }, { asked, differences }),
  );
  return {
    ours: { ...ours, status: statuses.ours, body: items.map((item) => item.ours) },
    stock: { ...stock, status: statuses.stock, body: items.map((item) => item.stock) },
  };
}

function level<Part>(
  candidates: readonly PartDifference<Part>[],
  sides: Sides<Part>,
  { asked, differences }: { asked: Asked; differences: Set<string> },
): Sides<Part> {
  let left = sides;
  for (const difference of candidates) {
    const without = difference.level(left, asked);
    if (without === undefined) continue;
    differences.add(difference.name);
    left = without;
  }
  return left;
}

/** Whether the status is that of the items, which are compared by themselves, or else 207; and whose they are. */
function statusOf(answer: Answer, { isBatch, wantsLines }: Asked): string {
  if (answer.status === 200 && isBatch && wantsLines) return "of a stream";
  const [first = 200, ...others] = new Set((itemsOf(answer) ?? []).map(statusOfItem));
  const status = others.length === 0 ? first : 207;
  const form = Array.isArray(answer.body) ? "of its calls" : "of its call";
  return answer.status === status ? form : `${answer.status} in place of ${status}`;
}

function statusOfItem({ error }: Item): number {
  return error?.json.data.httpStatus ?? 200;
}
