import { describeNetworkFaults } from "./network-suite.ts";

describeNetworkFaults({ sessions: 40, seconds: 3 });
