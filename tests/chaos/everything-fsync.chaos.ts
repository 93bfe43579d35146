import { describeEverythingAtOnce, LONG } from "./everything-suite.ts";

// Where Redis has WAITAOF (7.2, or Valkey), it confirms each commit, and connections are cut between the two as well.
describeEverythingAtOnce({ ...LONG, durability: "fsync" });
