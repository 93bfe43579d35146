import { describeOverload } from "./overload-suite.ts";

describeOverload({ seconds: 30, capacitySeconds: 5, leastServed: 0.8, refusedInTime: "p99" });
