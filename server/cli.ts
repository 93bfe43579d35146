#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// Starting costs a third less once the stripped sources are kept; no harm where that fails.
enableCompileCache();

const args = process.argv.slice(2);
const { forkEarly, endEarly } = await import("./workers/early-worker.ts");
forkEarly(args);
try {
  const { main } = await import("./cli/main.ts");
  await main(args);
} finally {
  endEarly();
}
