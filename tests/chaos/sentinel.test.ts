import { describeSentinelFailovers } from "./sentinel-suite.ts";

describeSentinelFailovers({
  sessions: 40,
  nodes: 5,
  failovers: 1,
  env: { KATO_DURABILITY: "replicated:1" },
});
