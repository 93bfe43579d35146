import type { HandMade } from "./hand-made.ts";
import { JSON_TYPE, get, post, getWith, postWith, sessionOf } from "./hand-made.ts";

const HEAD = "HEAD is answered as GET, without the body";
const WRONG_METHOD = "the wrong method is INVALID_INPUT, 400 in place of 405";
const NO_ALLOW = "no header says which method is right";
const UNKNOWN = "an unknown procedure is PROCEDURE_NOT_FOUND";
const OUTSIDE = "a path outside is refused in the service's own form";
const BAD_URL = "a URL of bad percent-encoding is refused in the service's own form";
const SLASH = "a slash is a part of a name";
const NUMBER_SIGN = "a number sign stands for itself";
const ONCE = "a path is decoded once";
const OTHER_METHOD = "another method leads nowhere";
const OTHER_TYPE = "a body of another type is INVALID_INPUT, 400 in place of 415";
const NO_BODY = "a body left out needs no type";
const TYPED_QUERY = "a query has no type";

/** What stands behind `/trpc/`, or in its place. */
export const PATHS: HandMade[] = [
  ["an unknown procedure", () => get("session.obseve"), UNKNOWN],
  ["an unknown procedure by POST", () => post("nope", "{}"), UNKNOWN],
  ["an empty name", () => get(""), UNKNOWN],
  ["a router in place of a procedure", () => get("session"), UNKNOWN],
  ["more than a procedure", () => get("session.get.x"), UNKNOWN],
  ["what every object has", () => get("__proto__"), UNKNOWN],
  ["what every function has", () => get("session.get.call"), UNKNOWN],
  ["other case", () => get("Session.Count"), UNKNOWN],
  ["two names without the mark of a batch", () => get("session.count,session.count"), UNKNOWN],
  ["a long name", () => get("x".repeat(2_000)), UNKNOWN],
  ["a name with an encoded dot", () => get("session%2Ecount")],
  ["a name with a space", () => get("session.count%20"), UNKNOWN],
  ["a name with a plus", () => get("session+count"), UNKNOWN],
  ["a name with an encoded slash", () => get("session%2Fcount"), UNKNOWN],
  ["a name in UTF-8", () => get("%F0%9F%97%9D"), UNKNOWN],
  ["a name with a semicolon", () => get("session.count;a=1"), UNKNOWN],
  ["a slash", () => get("session/count"), SLASH, UNKNOWN],
  ["a slash at the end", () => get("session.count/"), SLASH, UNKNOWN],
  ["no slash", () => ({ path: "/trpc" }), OUTSIDE],
  ["another root", () => ({ path: "/nothing" }), OUTSIDE],
  ["a broken escape", () => get("%"), BAD_URL],
  ["an escape that is not UTF-8", () => post("%E0%A4%A", "{}"), BAD_URL],
  ["an escape that was escaped", () => get("session%252Ecount"), ONCE, UNKNOWN],
  ["an escaped percent sign", () => get("%25"), ONCE, UNKNOWN],
  ["a fragment", () => get("session.count#there"), NUMBER_SIGN, UNKNOWN],
  ["a fragment within the query", () => get("session.count?x=1#&input=5"), NUMBER_SIGN],
  ["an unknown parameter", () => get("session.count?x=1&__proto__=2")],
];

/** Other methods than the procedure's. */
export const METHODS: HandMade[] = [
  [
    "a mutation by GET",
    ({ sessions }) => getWith("session.clearStm", sessionOf(sessions.observed)),
    WRONG_METHOD,
    NO_ALLOW,
  ],
  [
    "a query by POST",
    ({ sessions }) => postWith("session.stm", sessionOf(sessions.observed)),
    WRONG_METHOD,
    NO_ALLOW,
  ],
  [
    "a batch of mutations by GET",
    () => get("session.observe,session.learn?batch=1"),
    WRONG_METHOD,
    NO_ALLOW,
  ],
  ["HEAD", () => ({ ...get("session.count"), method: "HEAD" }), HEAD],
  [
    "HEAD of a session that never was",
    () => ({ ...getWith("session.get", sessionOf("none")), method: "HEAD" }),
    HEAD,
  ],
  [
    "HEAD of a mutation",
    ({ sessions }) => ({
      ...getWith("session.clearStm", sessionOf(sessions.observed)),
      method: "HEAD",
    }),
    HEAD,
    WRONG_METHOD,
    NO_ALLOW,
  ],
  [
    "HEAD of a batch",
    () => ({ ...get("session.count,session.get?batch=1"), method: "HEAD" }),
    HEAD,
  ],
  ["HEAD of an unknown procedure", () => ({ ...get("nope"), method: "HEAD" }), HEAD, UNKNOWN],
  ["HEAD of another root", () => ({ ...get(""), path: "/nothing", method: "HEAD" }), HEAD, OUTSIDE],
  ["OPTIONS", () => ({ ...get("session.count"), method: "OPTIONS" }), OTHER_METHOD],
  ["PUT", () => ({ ...post("session.create", "{}"), method: "PUT" }), OTHER_METHOD],
  ["DELETE", () => ({ ...get("session.delete"), method: "DELETE" }), OTHER_METHOD],
  [
    "PATCH, as for a subscription",
    () => ({ ...post("session.create", "{}"), method: "PATCH" }),
    OTHER_METHOD,
  ],
];

/** What a body, or none, is said to be. */
export const TYPES: HandMade[] = [
  [
    "a type with a charset",
    () =>
      post("session.create", '{"json":{"nodeId":"n"}}', {
        "content-type": "application/json; charset=utf-8",
      }),
  ],
  [
    "a type in capitals",
    () => post("session.create", '{"json":{"nodeId":"n"}}', { "content-type": "APPLICATION/JSON" }),
  ],
  ["plain text", () => post("session.create", "{}", { "content-type": "text/plain" }), OTHER_TYPE],
  [
    "bytes",
    () => post("session.create", "{}", { "content-type": "application/octet-stream" }),
    OTHER_TYPE,
  ],
  [
    "a form",
    () => post("session.create", "a=b", { "content-type": "application/x-www-form-urlencoded" }),
    OTHER_TYPE,
  ],
  [
    "a form in parts",
    () => post("session.create", "--b--", { "content-type": "multipart/form-data; boundary=b" }),
    OTHER_TYPE,
  ],
  [
    "no body of another type",
    () => post("session.create", undefined, { "content-type": "text/plain" }),
    OTHER_TYPE,
  ],
  ["a body of no type", () => post("session.create", "{}", {}), OTHER_TYPE],
  ["no body of no type", () => post("session.create", undefined, {}), NO_BODY],
  ["a query of the type JSON", () => get("session.count", undefined, JSON_TYPE)],
  [
    "a query of the type plain text",
    () => get("session.count", undefined, { "content-type": "text/plain" }),
  ],
  [
    "a query of the type of a form",
    () => get("session.count", undefined, { "content-type": "multipart/form-data; boundary=b" }),
    TYPED_QUERY,
  ],
  [
    "a query of the type of bytes",
    () => get("session.count", undefined, { "content-type": "application/octet-stream" }),
    TYPED_QUERY,
  ],
];

/** At the limits, and over them. */
export const BOUNDS: HandMade[] = [
  [
    "a body too large",
    () => post("session.create", " ".repeat(1_048_577)),
    "a body too large is refused in the service's own form",
  ],
  ["a URL of the longest kind", () => get(`session.count?x=${"y".repeat(16_000 - 22)}`)],
  [
    "a URL too long",
    () => get(`session.count?x=${"y".repeat(16_000)}`),
    "a URL too long is LIMIT_EXCEEDED",
  ],
];
