import { describeEverythingAtOnce } from "./everything-suite.ts";

describeEverythingAtOnce({
  sessions: 200,
  nodes: 20,
  seconds: 60,
  killEveryMs: 2_000,
  crashes: 5,
  freezes: 2,
  freezeMs: 5_000,
});
