import { describeEverythingAtOnce } from "./everything-suite.ts";

describeEverythingAtOnce({
  sessions: 40,
  nodes: 5,
  seconds: 6,
  killEveryMs: 1_500,
  crashes: 2,
  freezes: 1,
  freezeMs: 1_000,
});
