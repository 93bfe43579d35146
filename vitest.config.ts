import { defineConfig } from "vitest/config";
import { ChaosReporter } from "./tests/chaos/chaos-reporter.ts";
import { SummaryReporter } from "./tests/support/summary-reporter.ts";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // As long as `waitFor` waits: with the default of a second a busy machine fails what only has to wait.
    expect: { poll: { timeout: 30_000 } },
    // Two cores: more files at once only make each other's servers slow.
    maxWorkers: 2,
    globalSetup: ["tests/support/global-setup.ts"],
    reporters: ["default", new ChaosReporter(), new SummaryReporter()],
  },
});
