import { LIMITS } from "@kato-rpc/shared/limits.ts";
import type { Answer } from "./answer.ts";
import { refusalOf } from "./answer.ts";

export const INVALID = { kato: "INVALID_INPUT", httpStatus: 400 };
export const NOWHERE = { kato: "PROCEDURE_NOT_FOUND", httpStatus: 404 };

export function over(limit: keyof typeof LIMITS) {
  return { kato: "LIMIT_EXCEEDED", httpStatus: 413, limit, max: LIMITS[limit].max };
}

/** Whether the whole answer is one error with all this, and its status that of the error. */
export function refuses(answer: Answer, error: Readonly<Record<string, unknown>>): boolean {
  const data: Readonly<Record<string, unknown>> | undefined = refusalOf(answer)?.data;
  if (data === undefined || answer.status !== data["httpStatus"]) return false;
  return Object.entries(error).every(([name, value]) => data[name] === value);
}

/** Whether this is what Fastify says where no code of tRPC's is reached. */
export function isOfFastify({ status, body }: Answer, code?: string): boolean {
  const said = body as { statusCode?: unknown; code?: unknown } | string;
  return (
    typeof said === "object" && said.statusCode === status && (code ?? said.code) === said.code
  );
}
