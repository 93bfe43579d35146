import { expect, it } from "vitest";
import { mutate, query } from "../support/clients/fetch-client.ts";
import { startRedisSentinel } from "../support/redis-sentinel.ts";
import { startService } from "../support/service.ts";

it("serves sessions from the master that a sentinel names", async () => {
  await using group = await startRedisSentinel();
  await using service = await startService({ store: group.url, workers: 2 });
  const { sessionId } = await mutate<{ sessionId: string }>(service.url, "session.create", {
    nodeId: "node",
  });

  await mutate(service.url, "session.observe", { sessionId, strings: ["a"] });

  expect(await query(service.url, "session.stm", { sessionId })).toMatchObject({ stm: [["a"]] });
  expect(await group.master.client().zrange("kato:nodes", "0", "-1")).toEqual(["node"]);
});
