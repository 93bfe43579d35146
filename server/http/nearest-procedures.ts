import { distance } from "fastest-levenshtein";
import { ServiceError } from "@kato-rpc/shared/errors.ts";

const SUGGESTIONS = 3;

export function procedureNotFound(path: string, procedures: readonly string[]): ServiceError {
  const name = path.slice(0, 100);
  const nearest = procedures
    .map((procedure) => ({ procedure, far: distance(name.toLowerCase(), procedure.toLowerCase()) }))
    .sort((a, b) => a.far - b.far)
    .slice(0, SUGGESTIONS)
    .map(({ procedure }) => procedure);
  const message = `there is no procedure ${JSON.stringify(name)}; the nearest are ${nearest.join(", ")}`;
  return new ServiceError("PROCEDURE_NOT_FOUND", message, { nearest });
}
