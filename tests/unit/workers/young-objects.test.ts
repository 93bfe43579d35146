import { describe, expect, it } from "vitest";
import { youngObjectOptions } from "../../../server/workers/young-objects.ts";

const GIB = 2 ** 30;

describe("a worker's room for young objects", () => {
  it("is larger than Node's own where there is memory for that", () => {
    expect(youngObjectOptions(2 * GIB, [])).toBe("--max-semi-space-size=64");
    expect(youngObjectOptions(2 * GIB - 1, [])).toBeUndefined();
  });

  it("is V8's to find where the whole heap is limited, not where old objects are", () => {
    expect(youngObjectOptions(8 * GIB, ["--max-heap-size=256"])).toBeUndefined();
    expect(youngObjectOptions(8 * GIB, ["", "--max_heap_size=256"])).toBeUndefined();
    expect(youngObjectOptions(8 * GIB, ["--max-old-space-size=256"])).toBeDefined();
  });
});
