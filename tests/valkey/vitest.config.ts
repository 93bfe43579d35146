import { defineConfig } from "vitest/config";
import { SummaryReporter } from "../support/summary-reporter.ts";

/** What depends on the server is tested against Valkey as well: it has commands that Redis 7.0 lacks, such as WAITAOF. */
export default defineConfig({
  test: {
    include: [
      "tests/contract/redis*.test.ts",
      "tests/cluster/**/*.test.ts",
      "tests/integration/durability.test.ts",
      "tests/integration/store-troubles-*.test.ts",
    ],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    globalSetup: ["tests/valkey/find-valkey.ts", "tests/support/global-setup.ts"],
    reporters: ["default", new SummaryReporter()],
  },
});
