import { describeRedisOutages } from "./redis-outages-suite.ts";

describeRedisOutages({ sessions: 40, kills: 2, freezes: 1, freezeMs: 500 });
