import { describe, expect, it } from "vitest";
import { ServiceError } from "@kato-rpc/shared/errors.ts";
import type { RpcRequestParts } from "../../../server/http/rpc-request.ts";
import { readRpcRequest } from "../../../server/http/rpc-request.ts";

const get = (path: string, query: RpcRequestParts["query"] = {}): RpcRequestParts => ({
  method: "GET",
  path,
  query,
  body: undefined,
});
const post = (path: string, body: string | Buffer, query: RpcRequestParts["query"] = {}) => ({
  method: "POST",
  path,
  query,
  body: Buffer.from(body),
});

function refusal(parts: RpcRequestParts): ServiceError {
  try {
    readRpcRequest(parts);
  } catch (error) {
    expect(error).toBeInstanceOf(ServiceError);
    return error as ServiceError;
  }
  throw new Error("nothing was refused");
}

describe("a request of tRPC's wire", () => {
  it("is a query by GET, with its input as a parameter", () => {
    expect(readRpcRequest(get("session.get", { input: '{"json":{"a":1}}' }))).toEqual({
      isBatch: false,
      kind: "query",
      calls: [{ path: "session.get", payload: { json: { a: 1 } } }],
    });
  });

  it("is a mutation by POST, with its input as the body", () => {
    expect(readRpcRequest(post("session.observe", '{"json":{"a":1}}'))).toEqual({
      isBatch: false,
      kind: "mutation",
      calls: [{ path: "session.observe", payload: { json: { a: 1 } } }],
    });
  });

  it("may hold the character that stands for what is not valid UTF-8", () => {
    expect(readRpcRequest(post("a", '"\uFFFD"')).calls[0]?.payload).toBe("\uFFFD");
  });

  it("is a query by HEAD, as by GET", () => {
    expect(readRpcRequest({ ...get("session.get"), method: "HEAD" }).kind).toBe("query");
  });

  it.each([get("session.list"), get("session.list", { input: "" }), post("session.list", "")])(
    "may leave its input out: %j",
    (parts) => {
      expect(readRpcRequest(parts).calls).toEqual([{ path: "session.list", payload: undefined }]);
    },
  );

  it("may encode its path", () => {
    expect(readRpcRequest(get("session%2Eget%20")).calls[0]?.path).toBe("session.get ");
  });

  it("without the mark of a batch is one call, whatever its name", () => {
    expect(readRpcRequest(get("a,b", { batch: "0" })).calls).toEqual([
      { path: "a,b", payload: undefined },
    ]);
  });
});

describe("a batch", () => {
  it("is a call for each name, with the input of its position", () => {
    const inputs = '{"0":{"json":1},"2":{"json":3},"7":{"json":"nobody\'s"}}';

    expect(readRpcRequest(post("a,b,a", inputs, { batch: "1" }))).toEqual({
      isBatch: true,
      kind: "mutation",
      calls: [
        { path: "a", payload: { json: 1 } },
        { path: "b", payload: undefined },
        { path: "a", payload: { json: 3 } },
      ],
    });
  });

  it("takes its inputs from a list as well, and none at all", () => {
    const payloads = (parts: RpcRequestParts) =>
      readRpcRequest(parts).calls.map(({ payload }) => payload);

    expect(payloads(post("a,b", "[1,2]", { batch: "1" }))).toEqual([1, 2]);
    expect(payloads(get("a,b", { batch: "1" }))).toEqual([undefined, undefined]);
  });

  it("splits at commas that were encoded too", () => {
    expect(readRpcRequest(get("a%2Cb", { batch: "1" })).calls).toHaveLength(2);
  });

  it("takes no input from what objects inherit", () => {
    expect(
      readRpcRequest(post("a", '{"__proto__":{"0":5}}', { batch: "1" })).calls[0]?.payload,
    ).toBe(undefined);
  });

  it.each([1, 2, 99, 100])("has up to 100 calls: %i", (size) => {
    const names = Array.from({ length: size }, () => "a").join(",");

    expect(readRpcRequest(get(names, { batch: "1" })).calls).toHaveLength(size);
  });

  it.each([101, 5_000])("of more is LIMIT_EXCEEDED: %i", (size) => {
    const names = Array.from({ length: size }, () => "a").join(",");

    const error = refusal(get(names, { batch: "1" }));

    expect(error.code).toBe("LIMIT_EXCEEDED");
    expect(error.details).toEqual({ limit: "callsPerBatch", max: 100 });
    expect(error.message).toContain(String(size));
  });

  it.each(['"text"', "5", "true", "null"])(
    "whose inputs are no object is INVALID_INPUT: %s",
    (body) => {
      const error = refusal(post("a,b", body, { batch: "1" }));

      expect(error.code).toBe("INVALID_INPUT");
    },
  );
});

describe("a request that cannot be read", () => {
  it.each<[string, RpcRequestParts, RegExp]>([
    ["a path of bad encoding", get("%E0%A4%A"), /percent-encoding/],
    ["a body that is not JSON", post("a", '{"secret'), /^the body is not valid JSON$/],
    ["a body that is not UTF-8", post("a", Buffer.from([0x22, 0xff, 0x22])), /UTF-8/],
    ["an input that is not JSON", get("a", { input: "{secret" }), /`input` is not valid JSON$/],
    ["two inputs", get("a", { input: ["{}", "{}"] }), /`input` may stand only once/],
  ])("is INVALID_INPUT and repeats nothing of it: %s", (_, parts, message) => {
    const error = refusal(parts);

    expect(error.code).toBe("INVALID_INPUT");
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain("secret");
  });
});
