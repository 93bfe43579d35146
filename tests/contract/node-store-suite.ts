import { describe } from "vitest";
import { describeNodeChanges } from "./node-change-suite.ts";
import { describeLearning } from "./node-learn-suite.ts";
import { describeNodeLog } from "./node-log-suite.ts";
import { describeNodeAgainstModel } from "./node-model-suite.ts";
import { describeNodeReads } from "./node-reads-suite.ts";
import { describeNodeRequests } from "./node-request-suite.ts";
import { describeNodeTexts } from "./node-text-suite.ts";
import { describeVectors } from "./node-vector-suite.ts";
import { describeNodeWorkers } from "./node-workers-suite.ts";
import { describeNodeWindow } from "./window-suite.ts";
import type { OpenPlace } from "./store-place.ts";

/** What every store must do with the long-term memory of nodes; places as for `describeSessionStore`. */
export function describeNodeStore(name: string, openPlace: OpenPlace): void {
  describe(`nodes in ${name}`, () => {
    describeLearning(openPlace);
    describeVectors(openPlace);
    describeNodeChanges(openPlace);
    describeNodeRequests(openPlace);
    describeNodeWindow(openPlace);
    describeNodeLog(openPlace);
    describeNodeReads(openPlace);
    describeNodeTexts(openPlace);
    describeNodeWorkers(openPlace);
    describeNodeAgainstModel(openPlace);
  });
}
