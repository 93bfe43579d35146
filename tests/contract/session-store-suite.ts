import { describe } from "vitest";
import { describeCommits } from "./commit-suite.ts";
import { describeCreation } from "./creation-suite.ts";
import { describeDurability } from "./durability-suite.ts";
import { describeExpiry } from "./expiry-suite.ts";
import { describeFleetRegistry } from "./fleet-registry-suite.ts";
import { describeListing } from "./listing-suite.ts";
import { describeAgainstModel } from "./model-suite.ts";
import { describeRetention } from "./retention-suite.ts";
import { describeSessionRequests } from "./session-request-suite.ts";
import { describeSessionWindow } from "./window-suite.ts";
import type { OpenPlace } from "./store-place.ts";

/** What every store must do; `openPlace` gives each test an empty place of its own. */
export function describeSessionStore(name: string, openPlace: OpenPlace): void {
  describe(`sessions in ${name}`, () => {
    describeCreation(openPlace);
    describeCommits(openPlace);
    describeRetention(openPlace);
    describeExpiry(openPlace);
    describeSessionRequests(openPlace);
    describeSessionWindow(openPlace);
    describeListing(openPlace);
    describeDurability(openPlace);
    describeAgainstModel(openPlace);
    describeFleetRegistry(openPlace);
  });
}
