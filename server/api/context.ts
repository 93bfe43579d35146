import type { Monitor } from "../monitor/monitor.ts";
import type { NodeService } from "../nodes/node-service.ts";
import type { Call } from "../sessions/call.ts";
import type { SessionDirectory } from "../sessions/session-directory.ts";
import type { SessionService } from "../sessions/session-service.ts";

/** What every procedure gets besides its input. */
export type Context = {
  call: Call;
  sessions: SessionService;
  directory: SessionDirectory;
  nodes: NodeService;
  monitor: Monitor;
};
