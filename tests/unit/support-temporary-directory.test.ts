import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";

test("is removed with its contents when disposed", async () => {
  let path: string;
  {
    await using directory = await makeTemporaryDirectory();
    path = directory.path;
    await writeFile(join(path, "file"), "content");
  }

  expect(existsSync(path)).toBe(false);
});
