import { describe, expect, it } from "vitest";
import { LIMITS } from "@kato-rpc/shared/limits.ts";
import { requestError } from "../../../server/http/request-errors.ts";

const failed = (fields: { code?: string; statusCode?: number }) =>
  requestError(Object.assign(new Error("secret"), fields));

describe("what Fastify and Node refuse by themselves", () => {
  it.each([
    ["FST_ERR_CTP_BODY_TOO_LARGE", "requestBodyBytes"],
    ["HPE_HEADER_OVERFLOW", "headerBytes"],
  ] as const)("for its size is LIMIT_EXCEEDED: %s", (code, limit) => {
    const error = failed({ code, statusCode: 413 });

    const { max, meaning } = LIMITS[limit];
    expect(error).toMatchObject({ code: "LIMIT_EXCEEDED", details: { limit, max } });
    expect(error?.message).toContain(`at most ${max.toLocaleString("en")} ${meaning}`);
  });

  it.each([
    [{ code: "FST_ERR_CTP_INVALID_MEDIA_TYPE", statusCode: 415 }, /application\/json/],
    [{ code: "FST_ERR_BAD_URL", statusCode: 400 }, /percent-encoding/],
    [{ code: "ERR_HTTP_REQUEST_TIMEOUT" }, /in time/],
    [{ code: "HPE_INVALID_METHOD" }, /HTTP\/1\.1/],
    [{ code: "HPE_INVALID_CHUNK_SIZE" }, /HTTP\/1\.1/],
    [{ code: "FST_ERR_CTP_INVALID_CONTENT_LENGTH", statusCode: 400 }, /not valid HTTP/],
    [{ statusCode: 499 }, /not valid HTTP/],
  ])("for its form is INVALID_INPUT: %j", (fields, message) => {
    const error = failed(fields);

    expect(error?.code).toBe("INVALID_INPUT");
    expect(error?.message).toMatch(message);
    expect(error?.message).not.toContain("secret");
  });

  it.each([
    {},
    { code: "ECONNRESET" },
    { code: "EPIPE" },
    { statusCode: 500 },
    { statusCode: 302 },
  ])("is told from what is no refusal: %j", (fields) => {
    expect(failed(fields)).toBe(undefined);
  });
});
