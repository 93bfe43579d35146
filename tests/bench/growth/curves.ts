import type { Curve } from "./curve.ts";
import { latencyByLoad } from "./latency-by-load.ts";
import { learnByPatterns } from "./learn-by-patterns.ts";
import { observeBySessions } from "./observe-by-sessions.ts";
import { observeBySessionsPerNode } from "./observe-by-sessions-per-node.ts";
import { observeByStmLength } from "./observe-by-stm-length.ts";
import { predictByMatchRatio } from "./predict-by-match-ratio.ts";
import { predictByPatterns } from "./predict-by-patterns.ts";
import { predictByQueryLength } from "./predict-by-query-length.ts";
import { replicaLoad } from "./replica-load.ts";
import { startUp } from "./start-up.ts";

export const CURVES: readonly Curve[] = [
  observeBySessions,
  observeByStmLength,
  observeBySessionsPerNode,
  predictByPatterns,
  predictByQueryLength,
  predictByMatchRatio,
  learnByPatterns,
  replicaLoad,
  startUp,
  latencyByLoad,
];
