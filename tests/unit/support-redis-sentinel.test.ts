import { expect, test } from "vitest";
import { findProcessStatus } from "../support/process-status.ts";
import { startRedisSentinel } from "../support/redis-sentinel.ts";

test("a group of three sentinels makes a replica master when the master is killed, and the old one can join it", async () => {
  const group = await startRedisSentinel({ replicas: 2, sentinels: 3, downAfterMs: 2_000 });
  const pids = [...group.servers, ...group.sentinels.map((each) => each.process)].map(
    ({ pid }) => pid,
  );
  await using closing = group;
  await closing.master.client().set("key", "value");
  await group.untilReplicated();

  const { killed, successor } = await group.replaceMaster();
  const value = await successor.client().get("key");
  await group.rejoin(killed);
  await group.untilReplicated();
  const master = await group.currentMaster();
  const [role] = await killed.client().role();

  expect(killed).toBe(group.master);
  expect(group.replicas).toContain(successor);
  expect(value).toBe("value");
  // Whose is not said: where the machine stalls, the sentinels may have elected once more, even this one.
  expect(role).toBe(master === killed ? "master" : "slave");
  expect(group.url).toMatch(
    /^redis\+sentinel:\/\/(127\.0\.0\.1:\d+,){2}127\.0\.0\.1:\d+\/test-group$/,
  );
  await group.close();
  expect(pids.filter((pid) => findProcessStatus(pid) !== undefined)).toEqual([]);
});
