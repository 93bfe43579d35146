import { shapeError } from "../api/error-shape.ts";
import { isAhead, PROCEDURES } from "../api/procedures.ts";
import type { Logger } from "../log.ts";
import type { Admission } from "../monitor/admission.ts";
import type { CallMetrics } from "../monitor/call-metrics.ts";
import { transformer } from "@kato-rpc/shared/transformer.ts";
import type { CallLog } from "./call-log.ts";
import { TracedCall } from "./call-log.ts";
import { countEach } from "./count-each.ts";
import type { Answer } from "./answers.ts";

/** An OVERLOADED answer to calls of one procedure, cut where the request id stands. */
type Template = { parts: readonly string[]; retryAfterMs: number | undefined };

/** Stands in a template for the request id, and nowhere else. */
const MARK = "\u0001";

/**
 * Refuses requests whose calls the full line of waiting calls would all refuse, before their bodies are read: under
 * overload most of what arrives is refused, and what that costs is taken from the calls that are served.
 */
export class LoadShedding {
  readonly #parts: { admission: Admission; metrics: CallMetrics; callLog: CallLog; log: Logger };
  readonly #templates = new Map<string, Template>();

  constructor(parts: {
    admission: Admission;
    metrics: CallMetrics;
    callLog: CallLog;
    log: Logger;
  }) {
    this.#parts = parts;
  }

  /**
   * One answer for each call of the request, in order; undefined when one of them may get through, or when there is
   * something else to say of one.
   */
  refuse(
    request: { method: string; path: string; isBatch: boolean },
    requestId: string,
  ): Answer[] | undefined {
    if (!this.#parts.admission.isShedding) return undefined;
    const kind = request.method === "POST" ? "mutation" : "query";
    const names = request.isBatch ? request.path.split(",") : [request.path];
    const areRefused = names.every((name) => PROCEDURES.get(name)?.kind === kind && !isAhead(name));
    if (!areRefused) return undefined;
    for (const [procedure, calls] of countEach(names)) {
      this.#parts.metrics.record({ procedure, outcome: "OVERLOADED", durationMs: 0, calls });
    }
    return names.map((name, i) =>
      this.#answer(name, request.isBatch ? `${requestId}.${i}` : requestId),
    );
  }

  #answer(procedure: string, requestId: string): Answer {
    if (this.#parts.callLog.isComplete) this.#note(procedure, requestId);
    const { parts, retryAfterMs } = this.#templateOf(procedure);
    return { httpStatus: 503, json: parts.join(JSON.stringify(requestId)), retryAfterMs };
  }

  #note(procedure: string, requestId: string): void {
    const { callLog, log } = this.#parts;
    const call = new TracedCall({ requestId, procedure, deadlineAt: 0 }, log);
    call.trace("received");
    callLog.finished(call, "OVERLOADED", 0);
    call.trace("replied", { outcome: "OVERLOADED" });
  }

  #templateOf(procedure: string): Template {
    const known = this.#templates.get(procedure);
    if (known !== undefined) return known;
    const error = this.#parts.admission.lineFull();
    const shape = shapeError(error, { path: procedure, requestId: MARK });
    const json = `{"error":${JSON.stringify(transformer.serialize(shape))}}`;
    const parts = json.split(JSON.stringify(MARK));
    const template = { parts, retryAfterMs: error.details.retryAfterMs };
    this.#templates.set(procedure, template);
    return template;
  }
}
