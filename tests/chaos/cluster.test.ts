import { describeClusterFaults } from "./cluster-suite.ts";

describeClusterFaults({
  sessions: 40,
  nodes: 5,
  moves: 2,
  failovers: 1,
  env: { KATO_DURABILITY: "replicated:1" },
});
