import { describeSentinelFailovers } from "./sentinel-suite.ts";

describeSentinelFailovers({
  sessions: 40,
  failovers: 1,
  env: { KATO_DURABILITY: "replicated:1" },
});
