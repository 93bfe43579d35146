import { describe, expect, it } from "vitest";
import { NodeVectors } from "../../../server/sessions/node-vectors.ts";

const ASKED = [0, 0];
const KNOWN = [
  { name: "VCTR|b", distance: 1 },
  { name: "VCTR|c", distance: 4 },
];

function vectors(): NodeVectors {
  return new NodeVectors([ASKED], { dimension: 2, neighbours: [KNOWN] });
}

describe("a node's vectors, as a change sees them", () => {
  it("are the neighbours that the node told", () => {
    expect(vectors().nearest(ASKED, 1)).toEqual(["VCTR|b"]);
    expect(vectors().nearest(ASKED, 3)).toEqual(["VCTR|b", "VCTR|c"]);
  });

  it("are also those that the change has indexed on its way, by distance and then by name", () => {
    const seen = vectors();
    seen.index([
      { name: "VCTR|a", vector: [1, 0] },
      { name: "VCTR|z", vector: [9, 9] },
    ]);

    expect(seen.nearest(ASKED, 3)).toEqual(["VCTR|a", "VCTR|b", "VCTR|c"]);
  });

  it("hold a vector once that is indexed again", () => {
    const seen = vectors();
    seen.index([{ name: "VCTR|b", vector: [1, 0] }]);

    expect(seen.nearest(ASKED, 3)).toEqual(["VCTR|b", "VCTR|c"]);
  });

  it("are without those of an earlier attempt when the change is computed again", () => {
    const seen = vectors();
    seen.index([{ name: "VCTR|a", vector: [0, 0] }]);

    expect(seen.fresh().nearest(ASKED, 3)).toEqual(["VCTR|b", "VCTR|c"]);
  });
});
