import { describeClusterFaults } from "./cluster-suite.ts";

describeClusterFaults({
  sessions: 200,
  nodes: 20,
  moves: 15,
  failovers: 4,
  env: { KATO_DURABILITY: "replicated:1" },
});
