import { describeRedisOutages } from "./redis-outages-suite.ts";

describeRedisOutages({ sessions: 200, kills: 5, freezes: 2, freezeMs: 5_000 });
