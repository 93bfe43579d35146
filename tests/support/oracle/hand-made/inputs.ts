import { NODE_ID } from "../prepared-store.ts";
import type { HandMade } from "./hand-made.ts";
import { get, post } from "./hand-made.ts";

const NO_ALLOW = "no header says which method is right";
const NOT_JSON = "an input that is not JSON is refused before its procedure is looked for";
const TWICE = "a parameter stands once";
const AS_IT_STANDS =
  "an input parameter whose escapes are not UTF-8 is taken as it stands, all of it";
const UTF_8 = "a body is UTF-8 without a byte order mark";

/** How an input is written. */
export const INPUTS: HandMade[] = [
  ["an empty input", () => get("session.count", "")],
  ["an input of {}", () => get("session.count", "{}")],
  ["an input of null", () => get("session.count", "null")],
  ["an input of a list", () => get("session.count", "[]")],
  ["an input of a string", () => get("session.count", '"text"')],
  ["an input without envelope", () => get("session.count", `{"nodeId":"${NODE_ID}"}`)],
  ["an input that is null in its envelope", () => get("session.count", '{"json":null}')],
  ["an input that is not JSON", () => get("session.count", "{"), NOT_JSON],
  ["a body that is not JSON", () => post("session.create", '{"json":{'), NOT_JSON],
  ["a body of two values", () => post("session.create", "{}{}"), NOT_JSON],
  ["a body with NaN", () => post("session.create", '{"json":NaN}'), NOT_JSON],
  ["a body that is not JSON for an unknown procedure", () => post("nope", "{"), NOT_JSON],
  [
    "an input that is not JSON for a mutation",
    () => get("session.create", "{"),
    NOT_JSON,
    NO_ALLOW,
  ],
  ["an empty body", () => post("session.create", "")],
  ["a body of blanks", () => post("session.create", "  "), NOT_JSON],
  ["two inputs", () => get("session.count?input=%7B%7D&input=%7B%7D"), TWICE],
  ["two marks of a batch", () => get("session.count,node.list?batch=1&batch=1"), TWICE],
  ["a mark of a batch that is not 1", () => get("session.count?batch=true")],
  [
    "a body that is not UTF-8",
    () => post("session.create", Buffer.from([0x22, 0xff, 0x22])),
    UTF_8,
  ],
  [
    "a body with a byte order mark",
    () => post("session.create", `\uFEFF{"json":{"nodeId":"n"}}`),
    UTF_8,
  ],
  [
    "an input parameter that is not UTF-8",
    () => ({ ...get(""), path: '/trpc/session.get?input={"json":{"sessionId":"%FF"}}' }),
    AS_IT_STANDS,
  ],
  [
    "an input parameter with another escape beside one that is not UTF-8",
    () => ({ ...get(""), path: '/trpc/session.get?input=%7B"json":{"sessionId":"a+%FF"}}' }),
    AS_IT_STANDS,
    NOT_JSON,
  ],
  [
    "a percent sign in an input parameter with an escape",
    () => ({ ...get(""), path: '/trpc/session.get?input={"json":{"sessionId":"100%%41"}}' }),
    AS_IT_STANDS,
  ],
  [
    "a percent sign in an input parameter",
    () => ({ ...get(""), path: '/trpc/session.get?input={"json":{"sessionId":"100%"}}' }),
  ],
  [
    "a plus in an input parameter",
    () => ({ ...get(""), path: '/trpc/session.get?input={"json":{"sessionId":"a+b"}}' }),
  ],
  [
    "broken connection parameters",
    () => get("session.count?connectionParams=%7B"),
    "connection parameters are not read",
  ],
  ["connection parameters", () => get("session.count?connectionParams=%7B%22a%22:%22b%22%7D")],
];

type Envelope = [description: string, name: "session.create" | "session.count", text: string];

const ENVELOPES: Envelope[] = [
  [
    "a date",
    "session.create",
    '{"json":{"nodeId":"2026-01-01T00:00:00.000Z"},"meta":{"values":{"nodeId":["Date"]},"v":1}}',
  ],
  [
    "an undefined field",
    "session.count",
    '{"json":{"nodeId":null},"meta":{"values":{"nodeId":["undefined"]}}}',
  ],
  ["an undefined input", "session.count", '{"json":null,"meta":{"values":["undefined"],"v":1}}'],
  [
    "a bigint",
    "session.create",
    '{"json":{"nodeId":"n","ttlSeconds":"60"},"meta":{"values":{"ttlSeconds":["bigint"]}}}',
  ],
  [
    "NaN",
    "session.create",
    '{"json":{"nodeId":"n","ttlSeconds":"NaN"},"meta":{"values":{"ttlSeconds":["number"]}}}',
  ],
  [
    "a map and a set",
    "session.create",
    '{"json":{"nodeId":[["a",1]],"config":[1]},"meta":{"values":{"nodeId":["map"],"config":["set"]}}}',
  ],
  [
    "a type that is unknown",
    "session.count",
    '{"json":{"nodeId":"n"},"meta":{"values":{"nodeId":["regexp"]}}}',
  ],
  [
    "a path that leads nowhere",
    "session.count",
    '{"json":{"nodeId":"n"},"meta":{"values":{"other":["Date"]}}}',
  ],
  [
    "a path to a prototype",
    "session.count",
    '{"json":{"nodeId":"n"},"meta":{"values":{"__proto__.x":["Date"]}}}',
  ],
  ["meta that is no object", "session.count", '{"json":{"nodeId":"n"},"meta":5}'],
  ["meta of null", "session.count", '{"json":{"nodeId":"prepared"},"meta":null}'],
  ["values that are a string", "session.count", '{"json":{"nodeId":"n"},"meta":{"values":"Date"}}'],
  ["more than an envelope", "session.count", '{"json":{"nodeId":"prepared"},"more":1}'],
  [
    "__proto__ in a map of the caller",
    "session.create",
    '{"json":{"nodeId":"n","metadata":{"__proto__":{"a":1},"constructor":2}}}',
  ],
  [
    "__proto__ in an input",
    "session.create",
    '{"json":{"nodeId":"n","__proto__":{"ttlSeconds":5}}}',
  ],
  ["__proto__ in an envelope", "session.create", '{"json":{"nodeId":"n"},"__proto__":{"meta":5}}'],
];

/** What stands in the transformer's envelope. */
export const META = ENVELOPES.map(([description, name, text]): HandMade => [
  description,
  () => (name === "session.create" ? post(name, text) : get(name, text)),
]);
