import { defineConfig } from "vitest/config";
import { SummaryReporter } from "../support/summary-reporter.ts";
import { ChaosReporter } from "./chaos-reporter.ts";

/** The long forms, which `npm run test:chaos` runs one after another; their short forms are among the other tests. */
export default defineConfig({
  test: {
    include: ["tests/chaos/**/*.chaos.ts"],
    testTimeout: 600_000,
    hookTimeout: 120_000,
    // Each of them loads the whole machine.
    fileParallelism: false,
    globalSetup: ["tests/support/global-setup.ts"],
    reporters: ["default", new ChaosReporter(), new SummaryReporter()],
  },
});
