/** A call as it arrived: what the client sent, read from tRPC's wire. */
export type ArrivedCall = {
  path: string;
  input: Record<string, unknown>;
  /** The id that its reply has to carry. */
  requestId: string;
};

export type Arrived = {
  calls: ArrivedCall[];
  isBatch: boolean;
  requestId: string;
  signal: AbortSignal;
};

/** One reply on the wire. */
export type WireReply = { result: object } | { error: object };

/** A `fetch` that answers each HTTP request with what `answer` makes of its calls, one reply for each. */
export function fakeFetch(
  answer: (arrived: Arrived) => WireReply[] | Promise<WireReply[]>,
): (url: string, init: RequestInit) => Promise<Response> {
  return async (url, init) => {
    const arrived = readArrived(url, init);
    const replies = await untilAborted(Promise.resolve(answer(arrived)), arrived.signal);
    return Response.json(arrived.isBatch ? replies : replies[0]);
  };
}

/** A result for a call, as the service writes it. */
export function resultFor({ requestId, input }: ArrivedCall, data: object = {}): WireReply {
  const { sessionId } = input;
  return {
    result: { data: { json: data }, requestId, ...(sessionId === undefined ? {} : { sessionId }) },
  };
}

/** An error for a call, as the service writes it. */
export function errorFor(
  { requestId, path }: ArrivedCall,
  kato: string,
  details: object = {},
): WireReply {
  const data = { code: "X", httpStatus: 503, path, kato, requestId, ...details };
  return { error: { json: { message: `it is ${kato}`, code: -32603, data } } };
}

function readArrived(url: string, init: RequestInit): Arrived {
  const { pathname, searchParams } = new URL(url);
  const isBatch = searchParams.get("batch") === "1";
  const requestId = new Headers(init.headers).get("x-request-id") ?? "";
  const text = typeof init.body === "string" ? init.body : (searchParams.get("input") ?? "{}");
  const payload = JSON.parse(text) as Record<string, unknown>;
  const calls = decodeURIComponent(pathname.replace("/trpc/", ""))
    .split(",")
    .map((path, i): ArrivedCall => {
      const item = (isBatch ? payload[i] : payload) as { json?: ArrivedCall["input"] } | undefined;
      return {
        path,
        input: item?.json ?? {},
        requestId: isBatch ? `${requestId}.${i}` : requestId,
      };
    });
  return { calls, isBatch, requestId, signal: init.signal ?? new AbortController().signal };
}

/** Like `fetch`, ends with the signal's reason when it aborts. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
