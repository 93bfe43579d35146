import { describe } from "vitest";
import { describeCommits } from "../contract/commit-suite.ts";
import { describeCreation } from "../contract/creation-suite.ts";
import { describeExpiry } from "../contract/expiry-suite.ts";
import { describeRetention } from "../contract/retention-suite.ts";
import { describeSessionWindow } from "../contract/window-suite.ts";
import { openSimulatedPlace } from "./simulated-place.ts";

// The same suites as the real stores, but for lists, which nobody asks for in a simulation.
describe("sessions in the simulated store", () => {
  describeCreation(openSimulatedPlace);
  describeCommits(openSimulatedPlace);
  describeRetention(openSimulatedPlace);
  describeExpiry(openSimulatedPlace);
  describeSessionWindow(openSimulatedPlace);
});
