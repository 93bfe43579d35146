import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ErrorCode } from "@kato-rpc/shared/errors.ts";
import { LIMITS } from "@kato-rpc/shared/limits.ts";
import type { Service } from "../support/service.ts";
import { openTestStore, startService } from "../support/service.ts";
import type { WireReply, WireRequest } from "../support/wire.ts";
import {
  call,
  dataOf,
  expectError,
  RawConnection,
  replyOf,
  requestText,
  send,
  tryCall,
} from "../support/wire.ts";

const JSON_TYPE = { "content-type": "application/json" };
const BODY_BYTES = LIMITS.requestBodyBytes.max;
const URL_CHARACTERS = LIMITS.urlCharacters.max;

let service: Service;
let stack: AsyncDisposableStack;
let sessionId: string;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  const store = stack.use(await openTestStore("sqlite"));
  service = stack.use(await startService({ store: store.url }));
});
beforeEach(async () => {
  ({ sessionId } = await call<{ sessionId: string }>(service.url, "session.create", {
    nodeId: "n",
  }));
});
afterAll(() => stack.disposeAsync());

/** An observe whose body is padded to so many bytes. */
function observeOf(bytes: number): WireRequest {
  const body = `{"json":{"sessionId":"${sessionId}","strings":["a"]}}`.padEnd(bytes, " ");
  return { method: "POST", path: "/trpc/session.observe", headers: JSON_TYPE, body };
}

async function time(): Promise<number> {
  return (await call<{ time: number }>(service.url, "session.get", { sessionId })).time;
}

function expectLimit(reply: WireReply, limit: keyof typeof LIMITS): void {
  const error = expectError(reply, "LIMIT_EXCEEDED");
  expect(error.data).toMatchObject({ limit, max: LIMITS[limit].max });
  expect(error.message).toContain(LIMITS[limit].meaning);
}

describe("a request body", () => {
  it("of exactly 1 MiB is taken", async () => {
    expect(await send(service.url, observeOf(BODY_BYTES))).toMatchObject({ status: 200 });
    expect(await time()).toBe(1);
  });

  it("of one byte more is LIMIT_EXCEEDED", async () => {
    expectLimit(await send(service.url, observeOf(BODY_BYTES + 1)), "requestBodyBytes");
    expect(await time()).toBe(0);
  });

  it("of 10 MB is LIMIT_EXCEEDED through fetch", async () => {
    const { body } = observeOf(10_000_000);

    const response = await fetch(`${service.url}/trpc/session.observe`, {
      method: "POST",
      headers: JSON_TYPE,
      body: body as string,
    });

    expectLimit(await replyOf(response), "requestBodyBytes");
    expect(await time()).toBe(0);
  });

  it("of 10 MB in chunks of unknown number is LIMIT_EXCEEDED through fetch", async () => {
    for (let round = 0; round < 5; round++) {
      let left = 160;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (left-- > 0) controller.enqueue(new Uint8Array(65_536).fill(0x20));
          else controller.close();
        },
      });

      const response = await fetch(`${service.url}/trpc/session.observe`, {
        method: "POST",
        headers: JSON_TYPE,
        body,
        duplex: "half",
      });

      expectLimit(await replyOf(response), "requestBodyBytes");
    }
    expect(await time()).toBe(0);
  });

  it("of exactly 1 MiB in chunks is taken, and of one byte more is LIMIT_EXCEEDED", async () => {
    const chunked = async (bytes: number) => {
      const { body, ...head } = observeOf(bytes);
      const headers = { ...head.headers, "transfer-encoding": "chunked" };
      return send(service.url, { ...head, headers, body });
    };

    expect(await chunked(BODY_BYTES)).toMatchObject({ status: 200 });
    expectLimit(await chunked(BODY_BYTES + 1), "requestBodyBytes");
  });

  it("too large is answered to a client that reads only once it has sent all, and the connection goes on", async () => {
    await using connection = new RawConnection(service.url);
    const text = requestText(observeOf(10_000_000));
    connection.socket.pause();

    for (let sent = 0; sent < text.length; sent += 1_000_000) {
      connection.write(text.slice(sent, sent + 1_000_000));
      await delay(2);
    }
    connection.socket.resume();

    expectLimit(await connection.reply(), "requestBodyBytes");
    connection.write(requestText(observeOf(0)));
    expect(await connection.reply()).toMatchObject({ status: 200 });
  });

  it("that never ends is cut off in the end", async () => {
    await using connection = new RawConnection(service.url);
    const { body: _, ...head } = observeOf(0);
    const headers = { ...JSON_TYPE, "content-length": "99999999" };
    connection.write(requestText({ ...head, headers }));
    expectLimit(await connection.reply(), "requestBodyBytes");

    const closed = new Promise((resolve) => connection.socket.once("close", resolve));
    const drip = setInterval(() => connection.write("          "), 100);

    await closed;
    clearInterval(drip);
  });

  it.each<[string, string | Buffer]>([
    ["broken off", '{"json":{'],
    ["of two values", '{"json":{}}{"json":{}}'],
    ["of single quotes", "{'json':{}}"],
    ["with NaN", '{"json":{"ttlSeconds":NaN}}'],
    ["with a byte order mark", '\uFEFF{"json":{}}'],
  ])("that is not JSON is INVALID_INPUT: %s", async (_, body) => {
    const reply = await send(service.url, { ...observeOf(0), body });

    expect(expectError(reply, "INVALID_INPUT").message).toBe("the body is not valid JSON");
  });

  it.each<[string, Buffer]>([
    ["a byte that never occurs", Buffer.from([0x22, 0xff, 0x22])],
    ["a character cut off", Buffer.from('"€"').subarray(0, 3)],
    ["a surrogate", Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ["an overlong form", Buffer.from([0x22, 0xc0, 0x80, 0x22])],
  ])("that is not UTF-8 is INVALID_INPUT: %s", async (_, bytes) => {
    const [start = "", end = ""] = String(observeOf(0).body).split('"a"');
    const body = Buffer.concat([Buffer.from(start), bytes, Buffer.from(end)]);

    const reply = await send(service.url, { ...observeOf(0), body });

    expect(expectError(reply, "INVALID_INPUT").message).toBe("the body is not valid UTF-8");
    expect(await time()).toBe(0);
  });

  it("that is empty is an input left out", async () => {
    const reply = await send(service.url, { ...observeOf(0), body: "" });

    expectError(reply, "INVALID_INPUT");
  });

  it.each([
    ["another type", { "content-type": "text/xml" }],
    ["plain text", { "content-type": "text/plain" }],
    ["a form", { "content-type": "application/x-www-form-urlencoded" }],
    ["no type", {}],
    ["nonsense", { "content-type": "?" }],
  ])("with the content type of %s is INVALID_INPUT", async (_, headers) => {
    const reply = await send(service.url, { ...observeOf(0), headers });

    const error = expectError(reply, "INVALID_INPUT");
    expect(error.data.reason).toBe("CONTENT_TYPE");
    expect(error.message).toContain("application/json");
    expect(await time()).toBe(0);
  });

  it("may name its charset", async () => {
    const headers = { "content-type": "application/json; charset=utf-8" };

    expect(await send(service.url, { ...observeOf(0), headers })).toMatchObject({ status: 200 });
  });
});

describe("a URL", () => {
  const urlOf = (characters: number) => "/trpc/session.count?x=".padEnd(characters, "y");

  it("of exactly 16,000 characters is taken", async () => {
    expect(await send(service.url, { path: urlOf(URL_CHARACTERS) })).toMatchObject({ status: 200 });
  });

  it("of one character more is LIMIT_EXCEEDED, whatever it leads to", async () => {
    const long = urlOf(URL_CHARACTERS + 1);

    expectLimit(await send(service.url, { path: long }), "urlCharacters");
    expectLimit(await send(service.url, { path: `/nothing${long}` }), "urlCharacters");
    expectLimit(await send(service.url, { ...observeOf(0), path: long }), "urlCharacters");
  });

  it.each(["/trpc/%E0%A4%A", "/trpc/%", "/%zz", "/trpc/session%2", "/trpc/%ff"])(
    "of bad percent-encoding is INVALID_INPUT: %s",
    async (path) => {
      expectError(await send(service.url, { path }), "INVALID_INPUT");
      expectError(await send(service.url, { ...observeOf(0), path }), "INVALID_INPUT");
    },
  );

  it("may encode what it need not, and stand behind a proxy's host", async () => {
    const ok = {
      status: 200,
      body: { result: { data: { json: { active: expect.any(Number) } } } },
    };

    expect(await send(service.url, { path: "/trpc/session%2Ecount" })).toMatchObject(ok);
    expect(await send(service.url, { path: "http://kato:8000/trpc/session.count" })).toMatchObject(
      ok,
    );
    expect(
      await send(service.url, { path: "/trpc/session.count%2Csession.count?batch=1" }),
    ).toMatchObject({ status: 200, body: [ok.body, ok.body] });
  });

  it("with an input that is not JSON is INVALID_INPUT", async () => {
    const path = "/trpc/session.count?input=";

    for (const input of ["%7B", "nonsense", "%22text%22", "[]", "%00"]) {
      expectError(await send(service.url, { path: path + input }), "INVALID_INPUT");
    }
    expectError(await send(service.url, { path: `${path}{}&input={}` }), "INVALID_INPUT");
  });
});

describe("headers", () => {
  it("of more than 32 KiB are LIMIT_EXCEEDED, in one and in many", async () => {
    const one = { "x-large": "y".repeat(33_000) };
    const many = Object.fromEntries(
      Array.from({ length: 1_500 }, (_, i) => [`x-${i}`, "yyyyyyyyyy"]),
    );

    for (const headers of [one, many]) {
      expectLimit(await send(service.url, { path: "/trpc/session.count", headers }), "headerBytes");
      expectLimit(await send(service.url, { path: "/health", headers }), "headerBytes");
    }
  });

  it("of a little less are taken", async () => {
    const headers = { "x-large": "y".repeat(32_000) };

    expect(await send(service.url, { path: "/trpc/session.count", headers })).toMatchObject({
      status: 200,
    });
  });

  it("without Host are INVALID_INPUT in HTTP/1.1, and taken in HTTP/1.0", async () => {
    await using connection = new RawConnection(service.url);
    connection.write("GET /trpc/session.count HTTP/1.1\r\n\r\n");
    expectError(await connection.reply(), "INVALID_INPUT");

    await using old = new RawConnection(service.url);
    old.write("GET /trpc/session.count HTTP/1.0\r\n\r\n");
    expect(await old.reply()).toMatchObject({ status: 200 });
  });

  it("may expect what the server does not know", async () => {
    const headers = { ...JSON_TYPE, expect: "a-miracle" };

    expect(await send(service.url, { ...observeOf(0), headers })).toMatchObject({ status: 200 });
  });
});

describe("a path that leads nowhere", () => {
  it.each([
    ["PUT", "/trpc/session.observe"],
    ["DELETE", "/trpc/session.delete"],
    ["PATCH", "/trpc/session.configure"],
    ["OPTIONS", "/trpc/session.count"],
    ["GET", "/"],
    ["GET", "/trpc"],
    ["GET", "/trpcs/session.count"],
    ["GET", "/TRPC/session.count"],
    ["POST", "/nothing"],
    ["POST", "/health"],
    ["GET", "/health/"],
    ["GET", "/.env"],
  ])("is PROCEDURE_NOT_FOUND and tells what there is: %s %s", async (method, path) => {
    const body = method === "POST" ? "{}" : undefined;

    const error = expectError(
      await send(service.url, { method, path, headers: JSON_TYPE, body }),
      "PROCEDURE_NOT_FOUND",
    );

    expect(error.message).toContain(`${method} "${path}"`);
    expect(error.message).toContain("/trpc/<name>");
  });

  it.each([
    ["session.obseve", "session.observe"],
    ["session.list.all", "session.list"],
    ["Session.Get", "session.get"],
    ["monitor.heath", "monitor.health"],
    ["stm", "session.stm"],
  ])("names the nearest procedures: %s", async (name, nearest) => {
    const reply = await send(service.url, { path: `/trpc/${name}` });

    const error = expectError(reply, "PROCEDURE_NOT_FOUND");
    expect(error.data.nearest).toHaveLength(3);
    expect(error.data.nearest).toContain(nearest);
    expect(error.message).toContain(nearest);
  });

  it.each(["__proto__", "constructor", "session", "session.constructor", "", "x".repeat(200)])(
    "is PROCEDURE_NOT_FOUND for any other name: %j",
    async (name) => {
      expectError(await send(service.url, { path: `/trpc/${name}` }), "PROCEDURE_NOT_FOUND");
    },
  );
});

describe("the wrong method", () => {
  it("of a mutation is INVALID_INPUT and names the right one", async () => {
    const input = encodeURIComponent(`{"json":{"sessionId":"${sessionId}"}}`);

    const error = expectError(
      await send(service.url, { path: `/trpc/session.clearStm?input=${input}` }),
      "INVALID_INPUT",
    );

    expect(error.message).toBe("session.clearStm is a mutation: call it by POST");
    expect(error.data.path).toBe("session.clearStm");
  });

  it("of a query is INVALID_INPUT and names the right one", async () => {
    const request = { ...observeOf(0), path: "/trpc/session.stm" };

    const error = expectError(await send(service.url, request), "INVALID_INPUT");

    expect(error.message).toBe("session.stm is a query: call it by GET");
  });

  it("fails only its own call of a batch", async () => {
    const path = "/trpc/session.stm,session.observe?batch=1";
    const input = { json: { sessionId } };

    const { status, body } = await send(service.url, {
      ...observeOf(0),
      path,
      body: JSON.stringify({ 0: input, 1: input }),
    });

    expect(status).toBe(207);
    expect(body).toMatchObject([{ error: {} }, { result: {} }]);
    expect(await time()).toBe(1);
  });

  it("HEAD is answered like GET, without the body", async () => {
    for (const path of ["/trpc/monitor.health", "/health"]) {
      const reply = await send(service.url, { method: "HEAD", path });

      expect(reply).toMatchObject({ status: 200, body: "" });
      expect(Number(reply.headers["content-length"])).toBeGreaterThan(0);
    }
  });
});

describe("what is not HTTP", () => {
  it.each<[string, string]>([
    ["garbage", "garbage\r\n\r\n"],
    ["a TLS handshake", "\x16\x03\x01\x02\x00\x01"],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["an unknown method", "FROB /trpc/session.count HTTP/1.1\r\nhost: kato\r\n\r\n"],
    ["a header without colon", "GET /trpc/session.count HTTP/1.1\r\nhost\r\n\r\n"],
    [
      "two lengths",
      "POST /trpc/x HTTP/1.1\r\nhost: k\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    [
      "a chunk of bad size",
      "POST /trpc/x HTTP/1.1\r\nhost: k\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
  ])("is INVALID_INPUT: %s", async (_, text) => {
    await using connection = new RawConnection(service.url);

    connection.write(text);

    expectError(await connection.reply(), "INVALID_INPUT");
  });

  it("behind a request does not take the place of its answer", async () => {
    await using connection = new RawConnection(service.url);

    connection.write(`${requestText(observeOf(0))}${requestText(observeOf(0))}garbage\r\n\r\n`);

    const times = [await connection.reply(), await connection.reply()].map(
      (reply) => dataOf<{ time: number }>(reply).time,
    );
    expect(times).toEqual([1, 2]);
    expectError(await connection.reply(), "INVALID_INPUT");
  });

  it("in the body of a request behind another does not take the place of its answer", async () => {
    await using connection = new RawConnection(service.url);
    const broken = requestText({
      method: "POST",
      path: "/trpc/session.observe",
      headers: { ...JSON_TYPE, "transfer-encoding": "chunked" },
    });

    connection.write(`${requestText(observeOf(0))}${broken}zz\r\n`);

    expect(dataOf(await connection.reply())).toMatchObject({ time: 1 });
    expectError(await connection.reply(), "INVALID_INPUT");
    expect(await time()).toBe(1);
  });

  it("leaves the service serving", async () => {
    expect(await tryCall(service.url, "session.count")).toMatchObject({ status: 200 });
  });
});

describe("a refusal", () => {
  const refusals: [string, WireRequest, ErrorCode][] = [
    [
      "of a body that is too large",
      {
        method: "POST",
        path: "/trpc/session.observe",
        headers: JSON_TYPE,
        body: " ".repeat(BODY_BYTES + 1),
      },
      "LIMIT_EXCEEDED",
    ],
    ["of a type", { method: "POST", path: "/trpc/session.observe", body: "x" }, "INVALID_INPUT"],
    ["of a path", { path: "/nothing" }, "PROCEDURE_NOT_FOUND"],
    ["of an encoding", { path: "/%zz" }, "INVALID_INPUT"],
    ["of a long URL", { path: `/${"x".repeat(URL_CHARACTERS)}` }, "LIMIT_EXCEEDED"],
    [
      "of a session",
      { path: "/trpc/session.get?input=%7B%22json%22%3A%7B%22sessionId%22%3A%22x%22%7D%7D" },
      "SESSION_NOT_FOUND",
    ],
  ];

  it.each(refusals)(
    "%s bears the caller's request id and keeps the connection",
    async (_, request, code) => {
      await using connection = new RawConnection(service.url);
      const headers = { ...request.headers, "x-request-id": "from-the-caller" };

      connection.write(requestText({ ...request, headers }));
      const error = expectError(await connection.reply(), code);
      connection.write(requestText({ path: "/trpc/session.count" }));

      expect(error.data.requestId).toBe("from-the-caller");
      expect(await connection.reply()).toMatchObject({ status: 200 });
    },
  );
});
