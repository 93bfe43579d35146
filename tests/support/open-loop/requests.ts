import type { GeneratorOptions } from "./load.ts";

/**
 * The bytes of each request to make by turns. Requests next to each other observe on other sessions, and one session is
 * in one request only where the sessions can be shared out so.
 */
export function requestsOf(options: GeneratorOptions): Buffer[] {
  const { sessionIds, callsPerRequest, shape = "calls" } = options;
  if (sessionIds.length === 0) throw new Error("no sessions to call");
  switch (shape) {
    case "calls":
      return Array.from({ length: Math.ceil(sessionIds.length / callsPerRequest) }, (_, i) =>
        callsOn(options, sessionsFrom(sessionIds, i * callsPerRequest, callsPerRequest)),
      );
    case "callsOnOneSession":
      return sessionIds.map((sessionId) =>
        callsOn(options, Array<string>(callsPerRequest).fill(sessionId)),
      );
    case "sequence":
      return sessionIds.map((sessionId) => {
        const observations = Array.from({ length: callsPerRequest }, () => OBSERVATION);
        const body = { json: { sessionId, observations } };
        return post(options, "/trpc/session.observeSequence", body);
      });
    case "plain":
      return sessionIds.map((sessionId) =>
        post(options, "/observe", { sessionId, ...OBSERVATION }),
      );
  }
}

const OBSERVATION = { strings: ["symbol"] };

function sessionsFrom(sessionIds: readonly string[], first: number, count: number): string[] {
  const at = (i: number) => sessionIds[(first + i) % sessionIds.length] ?? "";
  return Array.from({ length: count }, (_, i) => at(i));
}

/** A call on each of the sessions; several go as a batch. */
function callsOn(options: GeneratorOptions, sessionIds: readonly string[]): Buffer {
  const inputs = sessionIds.map((sessionId) => ({ json: { sessionId, ...OBSERVATION } }));
  const path = `/trpc/${inputs.map(() => "session.observe").join(",")}`;
  const [first] = inputs;
  if (inputs.length === 1) return post(options, path, first);
  return post(options, `${path}?batch=1`, Object.fromEntries(inputs.entries()));
}

function post({ url }: GeneratorOptions, path: string, content: unknown): Buffer {
  const body = JSON.stringify(content);
  const head = [
    `POST ${path} HTTP/1.1`,
    `host: ${new URL(url).host}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`);
}
