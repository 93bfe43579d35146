import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { findRedisServer } from "../support/redis-binary.ts";
import { makeTemporaryDirectory } from "../support/temporary-directory.ts";

const originalPath = process.env["PATH"];

afterEach(() => {
  process.env["PATH"] = originalPath;
});

test("finds redis-server in the directories of PATH", async () => {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, "redis-server");
  await symlink(process.execPath, path);
  process.env["PATH"] = `${join(directory.path, "missing")}:${directory.path}`;

  expect(await findRedisServer()).toBe(path);
});

test("says what to do when there is no redis-server and nothing to install it with", async () => {
  await using directory = await makeTemporaryDirectory();
  process.env["PATH"] = directory.path;

  await expect(findRedisServer()).rejects.toThrow(
    /redis-server was not found on PATH.*Install one/,
  );
});
