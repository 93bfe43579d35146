import { describeEverythingAtOnce, LONG } from "./everything-suite.ts";

describeEverythingAtOnce(LONG);
