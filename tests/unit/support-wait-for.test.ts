import { expect, test } from "vitest";
import { waitFor } from "../support/wait-for.ts";

test("gives the first truthy value of the condition", async () => {
  let looks = 0;

  const value = await waitFor(() => (++looks < 3 ? undefined : `look ${looks}`), {
    what: "the third look",
  });

  expect(value).toBe("look 3");
});

test("says what it waited for, with the last error as the cause", async () => {
  const failure = new Error("connection refused");
  const waiting = waitFor(() => Promise.reject(failure), {
    what: "the server to answer",
    timeoutMs: 30,
  });

  await expect(waiting).rejects.toMatchObject({
    message: "timed out after 30 ms waiting for the server to answer",
    cause: failure,
  });
});

test("gives up on a condition that never settles", async () => {
  const waiting = waitFor(() => new Promise<never>(() => {}), { what: "an answer", timeoutMs: 30 });

  await expect(waiting).rejects.toThrow("timed out after 30 ms waiting for an answer");
});
