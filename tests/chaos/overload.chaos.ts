import { describeOverload } from "./overload-suite.ts";

describeOverload({ seconds: 30, peakSeconds: 5, leastServed: 0.8 });
