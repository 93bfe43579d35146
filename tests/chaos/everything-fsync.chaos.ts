import { describeEverythingAtOnce } from "./everything-suite.ts";

// Where Redis has WAITAOF (7.2, or Valkey), it confirms each commit, and connections are cut between the two as well.
describeEverythingAtOnce({
  sessions: 200,
  nodes: 20,
  seconds: 60,
  killEveryMs: 2_000,
  crashes: 5,
  freezes: 2,
  freezeMs: 5_000,
  durability: "fsync",
});
