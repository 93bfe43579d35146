import { describeClusterFaults } from "./cluster-suite.ts";

describeClusterFaults({ sessions: 200, moves: 20, failovers: 0 });
