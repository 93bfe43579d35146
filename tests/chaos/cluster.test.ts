import { describeClusterFaults } from "./cluster-suite.ts";

describeClusterFaults({ sessions: 40, moves: 3, failovers: 0 });
