import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSessionId, nodeTag, parseSessionId } from "../../../server/stores/session-id.ts";

const nodeId = fc.string({ unit: "grapheme", maxLength: 64 });

describe("a session id", () => {
  test("carries its node's tag, whatever the node is called", () => {
    fc.assert(
      fc.property(nodeId, (id) => {
        const sessionId = createSessionId(id);

        expect(sessionId).toMatch(/^[A-Za-z0-9.~]{22}-[A-Za-z0-9.~]{22}$/);
        const { tag, suffix } = parseSessionId(sessionId)!;
        expect(tag).toBe(nodeTag(id));
        expect(sessionId).toBe(`${tag}-${suffix}`);
      }),
    );
  });

  test("is another one each time", () => {
    const ids = Array.from({ length: 1_000 }, () => createSessionId("node"));

    expect(new Set(ids).size).toBe(1_000);
  });

  test.each(["", "-", "a-b", "a".repeat(22), `${"a".repeat(22)}-${"b".repeat(23)}`, "é-é"])(
    "is not read from %j",
    (text) => {
      expect(parseSessionId(text)).toBeUndefined();
    },
  );

  test.each(["\n", " ", "{", "}", "*", ":", "_", "/"])("has no place for %j", (character) => {
    const sessionId = createSessionId("node");

    expect(parseSessionId(sessionId + character)).toBeUndefined();
    expect(parseSessionId(sessionId.slice(0, -1) + character)).toBeUndefined();
    expect(parseSessionId(character + sessionId.slice(1))).toBeUndefined();
  });
});

describe("a node's tag", () => {
  test("is always the same", () => {
    expect(nodeTag("node")).toBe("VF6lOEYQA.~cjIHCRFMbAA");
  });

  test("differs for node ids that differ by a byte", () => {
    const ids = ["", " ", "a", "a ", "A", "\0", "a\0", "é", "e\u0301"];

    expect(new Set(ids.map(nodeTag)).size).toBe(ids.length);
  });
});
