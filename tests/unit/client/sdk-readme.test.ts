import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { CLIENT_ERRORS } from "../../../client/sdk/errors.ts";

it("lists the client's own codes as the code has them", async () => {
  const readme = await readFile(new URL("../../../client/sdk/README.md", import.meta.url), "utf8");

  const rows = readme
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").map((cell) => cell.trim()));

  const expected = Object.entries(CLIENT_ERRORS).map(([code, { meaning, retryable }]) => [
    "",
    `\`${code}\``,
    meaning,
    retryable ? "yes" : "no",
    "",
  ]);
  expect(rows).toEqual(expected);
});
