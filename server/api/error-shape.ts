import type { ErrorCode, ErrorDetails, InputIssue } from "@kato-rpc/shared/errors.ts";
import { ERROR_CATALOGUE, ServiceError } from "@kato-rpc/shared/errors.ts";
import { LIMITS } from "@kato-rpc/shared/limits.ts";
import type { LimitName } from "@kato-rpc/shared/limits.ts";
import { TRPCError } from "@trpc/server";
import type { TRPC_ERROR_CODE_NUMBER } from "@trpc/server/rpc";
import { TRPC_ERROR_CODES_BY_KEY } from "@trpc/server/rpc";
import { z } from "zod";

/** An error as it stands on the wire, below `error` (inside the transformer's envelope). */
export type KatoErrorShape = {
  message: string;
  /** JSON-RPC's number for the kind of error; any other type would hide this shape from tRPC's inference. */
  code: TRPC_ERROR_CODE_NUMBER;
  data: {
    /** tRPC's name for the kind of error. */
    code: keyof typeof TRPC_ERROR_CODES_BY_KEY;
    httpStatus: number;
    path?: string;
    /** The stable code: see the catalogue in `shared/errors.ts`. */
    kato: ErrorCode;
    requestId: string;
  } & ErrorDetails;
};

const TRPC_CODE_OF_STATUS = {
  400: "BAD_REQUEST",
  401: "UNAUTHORIZED",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  // tRPC has no name for "gone".
  410: "NOT_FOUND",
  409: "CONFLICT",
  413: "PAYLOAD_TOO_LARGE",
  500: "INTERNAL_SERVER_ERROR",
  503: "SERVICE_UNAVAILABLE",
} as const satisfies Record<number, keyof typeof TRPC_ERROR_CODES_BY_KEY>;

export function shapeError(
  error: ServiceError,
  call: { path: string | undefined; requestId: string },
): KatoErrorShape {
  const httpStatus = ERROR_CATALOGUE[error.code].http;
  const code = TRPC_CODE_OF_STATUS[httpStatus];
  return {
    message: error.code === "INTERNAL" ? internalMessage(call.requestId) : error.message,
    code: TRPC_ERROR_CODES_BY_KEY[code],
    data: {
      code,
      httpStatus,
      ...(call.path === undefined ? {} : { path: call.path }),
      kato: error.code,
      requestId: call.requestId,
      ...error.details,
    },
  };
}

/** All that a caller learns of a bug; the log has the rest under the same id. */
function internalMessage(requestId: string): string {
  return `internal error: report the request id ${requestId}`;
}

/** Whatever a call threw as an error of the catalogue; what is not one on purpose is INTERNAL. */
export function toServiceError(error: unknown, input: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof TRPCError) {
    if (error.cause instanceof ServiceError) return error.cause;
    if (error.cause instanceof z.core.$ZodError) return invalidInput(error.cause, input);
  }
  return new ServiceError("INTERNAL", "internal error", { cause: error });
}

const ISSUES_TOLD = 20;

/** LIMIT_EXCEEDED when all that is wrong is that something is over its limit, else INVALID_INPUT. */
function invalidInput(error: z.core.$ZodError, input: unknown): ServiceError {
  const issues = error.issues.slice(0, ISSUES_TOLD).map((issue) => describeIssue(issue, input));
  const [first] = error.issues;
  const limit = first === undefined ? undefined : limitOf(first);
  const [told] = issues;
  const where = told === undefined || told.path === "" ? "" : ` (${told.path})`;
  if (limit !== undefined && error.issues.every((issue) => limitOf(issue) !== undefined)) {
    const message = `over a limit${where}: ${told?.message}`;
    return new ServiceError("LIMIT_EXCEEDED", message, { limit, max: LIMITS[limit].max, issues });
  }
  const more = issues.length > 1 ? `, and ${issues.length - 1} more in error.data.issues` : "";
  return new ServiceError("INVALID_INPUT", `invalid input${where}: ${told?.message}${more}`, {
    issues,
  });
}

function limitOf(issue: z.core.$ZodIssue): LimitName | undefined {
  if (issue.code !== "custom") return undefined;
  const limit: unknown = issue.params?.["limit"];
  return typeof limit === "string" && Object.hasOwn(LIMITS, limit)
    ? (limit as LimitName)
    : undefined;
}

function describeIssue(issue: z.core.$ZodIssue, input: unknown): InputIssue {
  const path = issue.path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`));
  return {
    path: path.join("").replace(/^\./, ""),
    rule: issue.code,
    message: issue.message,
    value: printable(valueAt(input, issue.path)),
  };
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** At most 80 characters, never an error, and no value of a map that users fill. */
function printable(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `array of ${value.length}`;
  if (typeof value === "object") return "object";
  const text =
    typeof value === "string" || typeof value === "boolean" ? JSON.stringify(value) : typeof value;
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
