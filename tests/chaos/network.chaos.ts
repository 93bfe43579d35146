import { describeNetworkFaults } from "./network-suite.ts";

describeNetworkFaults({ sessions: 200, seconds: 30 });
