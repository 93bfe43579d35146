import { describeOverload } from "./overload-suite.ts";

describeOverload({ seconds: 3, capacitySeconds: 2, leastServed: 0.6, refusedInTime: "p50" });
