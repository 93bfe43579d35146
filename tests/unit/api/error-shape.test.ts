import { TRPCError } from "@trpc/server";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { limitIssue } from "@kato-rpc/shared/checks.ts";
import type { ErrorCode } from "@kato-rpc/shared/errors.ts";
import { ERROR_CATALOGUE, ServiceError } from "@kato-rpc/shared/errors.ts";
import { shapeError, toServiceError } from "../../../server/api/error-shape.ts";

/** The table of the contract. */
const HTTP: Record<ErrorCode, number> = {
  SESSION_NOT_FOUND: 404,
  SESSION_EXPIRED: 410,
  PATTERN_NOT_FOUND: 404,
  NODE_NOT_FOUND: 404,
  PROCEDURE_NOT_FOUND: 404,
  INVALID_INPUT: 400,
  VECTOR_DIMENSION_MISMATCH: 400,
  TIME_CONFLICT: 409,
  LIMIT_EXCEEDED: 413,
  OVERLOADED: 503,
  STORE_UNAVAILABLE: 503,
  SHUTTING_DOWN: 503,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  INTERNAL: 500,
};

const RETRYABLE = ["OVERLOADED", "STORE_UNAVAILABLE", "SHUTTING_DOWN"];

const codes = Object.keys(HTTP) as ErrorCode[];

describe("the catalogue", () => {
  it("has the codes of the contract, with their statuses, and says which may be retried", () => {
    expect(Object.keys(ERROR_CATALOGUE)).toEqual(codes);
    for (const code of codes) {
      expect(ERROR_CATALOGUE[code].http).toBe(HTTP[code]);
      expect(ERROR_CATALOGUE[code].retryable).toBe(RETRYABLE.includes(code));
    }
  });
});

describe("an error on the wire", () => {
  it.each(codes)("has status, code, message, path and request id: %s", (code) => {
    const error = new ServiceError(code, "what happened");

    const shape = shapeError(error, { path: "session.get", requestId: "r-1" });

    expect(shape).toStrictEqual({
      message: code === "INTERNAL" ? "internal error: report the request id r-1" : "what happened",
      code: expect.any(Number),
      data: {
        code: expect.stringMatching(/^[A-Z_]+$/),
        httpStatus: HTTP[code],
        path: "session.get",
        kato: code,
        requestId: "r-1",
      },
    });
  });

  it("carries the details flat, and leaves out a path that is not known", () => {
    const error = new ServiceError("TIME_CONFLICT", "no", { sessionId: "s", actualTime: 4 });

    expect(shapeError(error, { path: undefined, requestId: "r" }).data).toStrictEqual({
      code: "CONFLICT",
      httpStatus: 409,
      kato: "TIME_CONFLICT",
      requestId: "r",
      sessionId: "s",
      actualTime: 4,
    });
  });

  it("says nothing of its cause", () => {
    const cause = new Error("secret");
    const error = new ServiceError("STORE_UNAVAILABLE", "the store is away", { cause });

    const text = JSON.stringify(shapeError(error, { path: "p", requestId: "r" }));

    expect(text).not.toContain("secret");
  });
});

describe("what a call threw", () => {
  it("is itself where it was thrown on purpose, also through tRPC", () => {
    const error = new ServiceError("SESSION_EXPIRED", "gone");
    const wrapped = new TRPCError({ code: "INTERNAL_SERVER_ERROR", cause: error });

    expect(toServiceError(error, undefined)).toBe(error);
    expect(toServiceError(wrapped, undefined)).toBe(error);
  });

  it.each([
    ["an Error", new Error("secret")],
    ["tRPC's own", new TRPCError({ code: "NOT_FOUND", message: "secret" })],
    ["a text", "secret"],
    ["nothing", undefined],
  ])("is INTERNAL otherwise, with the whole as its cause: %s", (_, thrown) => {
    const error = toServiceError(thrown, { secret: true });

    expect(error.code).toBe("INTERNAL");
    expect(error.message).not.toContain("secret");
    expect(error.cause).toBe(thrown);
  });
});

describe("an input that breaks rules", () => {
  const schema = z.strictObject({
    text: z.string(),
    list: z.array(z.strictObject({ n: z.int() })).optional(),
    sized: z
      .unknown()
      .check((context) => {
        if (context.value === "big") context.issues.push(limitIssue("symbolBytes", context.value));
      })
      .optional(),
  });

  function refusalOf(input: unknown): ServiceError {
    const { error } = schema.safeParse(input);
    return toServiceError(new TRPCError({ code: "BAD_REQUEST", cause: error }), input);
  }

  it("is INVALID_INPUT with path, rule, message and value of each issue", () => {
    const error = refusalOf({ text: 5, list: [{ n: 1 }, { n: "x".repeat(200) }] });

    expect(error.code).toBe("INVALID_INPUT");
    expect(error.message).toMatch(
      /^invalid input \(text\): .*, and 1 more in error\.data\.issues$/,
    );
    expect(error.details.issues).toEqual([
      { path: "text", rule: "invalid_type", message: expect.any(String), value: "5" },
      {
        path: "list[1].n",
        rule: "invalid_type",
        message: expect.any(String),
        value: `"${"x".repeat(78)}…`,
      },
    ]);
  });

  it.each([
    [undefined, "undefined"],
    [null, "null"],
    ["text", '"text"'],
    [Number.NaN, "NaN"],
    [-0, "0"],
    [7n, "7"],
    [true, "true"],
    [["a", "secret"], "array of 2"],
    [{ secret: 1 }, "object"],
    [new Map(), "object"],
    [() => 1, "function"],
    ["\uD800", '"\\ud800"'],
  ])("shows a value shortly, and nothing of what is in it: %s", (value, shown) => {
    const { error } = z.object({ field: z.never() }).safeParse({ field: value });

    const told = toServiceError(new TRPCError({ code: "BAD_REQUEST", cause: error }), {
      field: value,
    });

    expect(told.details.issues?.[0]).toMatchObject({ path: "field", value: shown });
  });

  it("is LIMIT_EXCEEDED when something is only too large", () => {
    const error = refusalOf({ text: "", sized: "big" });

    expect(error.code).toBe("LIMIT_EXCEEDED");
    expect(error.message).toMatch(/^over a limit \(sized\): at most 1,024 UTF-8 bytes/);
    expect(error.details).toMatchObject({ limit: "symbolBytes", max: 1_024 });
    expect(error.details.issues).toHaveLength(1);
  });

  it("is INVALID_INPUT when something is too large and something is wrong", () => {
    const error = refusalOf({ text: 5, sized: "big" });

    expect(error.code).toBe("INVALID_INPUT");
    expect(error.details.limit).toBe(undefined);
    expect(error.details.issues).toHaveLength(2);
  });

  it("is told by its first twenty issues", () => {
    const list = Array.from({ length: 100 }, () => ({ n: "x" }));

    expect(refusalOf({ text: "", list }).details.issues).toHaveLength(20);
  });

  it("does not look into what an object inherits", () => {
    const { error } = z
      .object({ constructor: z.string(), toString: z.string() })
      .safeParse(JSON.parse("{}"));

    const told = toServiceError(new TRPCError({ code: "BAD_REQUEST", cause: error }), {});

    expect(told.details.issues?.map(({ value }) => value)).toEqual(["undefined", "undefined"]);
  });
});
