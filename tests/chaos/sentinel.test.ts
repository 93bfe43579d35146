import { describeSentinelFailovers } from "./sentinel-suite.ts";

describeSentinelFailovers({
  sessions: 40,
  nodes: 5,
  failovers: 1,
  pace: 50,
  env: { KATO_DURABILITY: "replicated:1" },
});
