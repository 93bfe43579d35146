import { describeEverythingAtOnce } from "./everything-suite.ts";

// A commit is confirmed by a command of its own, so that connections are cut between the two as well.
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
