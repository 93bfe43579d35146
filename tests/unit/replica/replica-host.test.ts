import { expect, test } from "vitest";
import { ReplicaHost } from "@kato-rpc/server/replica/replica-host.ts";
import type { ReplicaCall } from "@kato-rpc/server/replica/replica-messages.ts";

const REPLICA = 1;
const NEXT: ReplicaCall<"next"> = {
  kind: "next",
  replica: REPLICA,
  stm: [["a"]],
  limit: 1,
  horizon: 1,
  deadlineAt: 5,
};

function hostOfEmptyNode(now: () => number): ReplicaHost {
  const host = new ReplicaHost(now);
  host.answer({ id: 1, call: { kind: "begin", replica: REPLICA, finalized: null } });
  host.answer({ id: 2, call: { kind: "finish", replica: REPLICA } });
  return host;
}

test("what comes next is not looked for once the deadline has passed", () => {
  const late = hostOfEmptyNode(() => 6).answer({ id: 3, call: NEXT });

  expect(late).toMatchObject({ id: 3, failure: { code: "OVERLOADED" } });
});

test("what comes next is told up to the deadline", () => {
  const inTime = hostOfEmptyNode(() => 5).answer({ id: 3, call: NEXT });

  const nothing = { events: [], end: 0, other: 1, confidence: 0, empty: "NO_PATTERNS" };
  expect(inTime).toMatchObject({ id: 3, value: JSON.stringify(nothing) });
});
