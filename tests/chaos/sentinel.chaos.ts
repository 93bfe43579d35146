import { describeSentinelFailovers } from "./sentinel-suite.ts";

describeSentinelFailovers({
  sessions: 200,
  nodes: 20,
  failovers: 8,
  pace: 1_000,
  env: { KATO_DURABILITY: "replicated:1" },
});
