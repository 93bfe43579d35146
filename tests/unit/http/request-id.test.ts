import { describe, expect, it } from "vitest";
import { requestIdOf } from "../../../server/http/request-id.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("a request's id", () => {
  it.each(["mine", "A-z.0_9~:", "x".repeat(128)])("is the caller's: %s", (id) => {
    expect(requestIdOf({ "x-request-id": id })).toBe(id);
  });

  it("is the caller's before its trace's", () => {
    expect(requestIdOf({ "x-request-id": "mine", traceparent: TRACEPARENT })).toBe("mine");
  });

  it.each([TRACEPARENT, `01-${TRACE_ID}-00f067aa0ba902b7-00-what-later-versions-add`])(
    "is its trace's when the caller gave none: %s",
    (traceparent) => {
      expect(requestIdOf({ traceparent })).toBe(TRACE_ID);
      expect(requestIdOf({ traceparent, "x-request-id": "not valid" })).toBe(TRACE_ID);
    },
  );

  it.each([
    "",
    " ",
    "two words",
    "x".repeat(129),
    'quote"',
    "<script>",
    "new\nline",
    "ümlaut",
    "a, b",
    "slash/",
  ])("is new in place of garbage: %j", (id) => {
    expect(requestIdOf({ "x-request-id": id })).toMatch(UUID);
  });

  it.each([
    TRACE_ID,
    `00-${TRACE_ID}-00f067aa0ba902b7`,
    `00-${TRACE_ID.toUpperCase()}-00f067aa0ba902b7-01`,
    `00-${"0".repeat(32)}-00f067aa0ba902b7-01`,
    `00-${TRACE_ID}-${"0".repeat(16)}-01`,
    `ff-${TRACE_ID}-00f067aa0ba902b7-01`,
    ` ${TRACEPARENT}`,
  ])("is new in place of a trace that W3C Trace Context does not allow: %j", (traceparent) => {
    expect(requestIdOf({ traceparent })).toMatch(UUID);
  });

  it("is new for each request that brings none", () => {
    const ids = Array.from({ length: 100 }, () => requestIdOf({}));

    expect(new Set(ids).size).toBe(100);
  });
});
