/** A request as the client sent it. */
export type SentRequest = {
  /** The procedures called, in order. */
  paths: string[];
  method: string;
  url: string;
  /** UTF-8 bytes. */
  bodyBytes: number;
  requestId: string;
  /** Sessions named by the calls, in order. */
  sessionIds: (string | undefined)[];
};

export type FetchRecorder = {
  fetch(url: string, init: RequestInit): Promise<Response>;
  requests: SentRequest[];
  /** The most requests that were under way at once. */
  peak: number;
  /** Times at which two requests under way named the same session. */
  overlaps: number;
};

/** The global `fetch`, with notes of what went through it. */
export function recordFetch(): FetchRecorder {
  const underWay = new Set<SentRequest>();
  const recorder: FetchRecorder = {
    requests: [],
    peak: 0,
    overlaps: 0,
    async fetch(url, init) {
      const sent = readRequest(url, init);
      const isOverlapping = [...underWay].some((other) =>
        other.sessionIds.some((id) => id !== undefined && sent.sessionIds.includes(id)),
      );
      if (isOverlapping) recorder.overlaps += 1;
      recorder.requests.push(sent);
      underWay.add(sent);
      recorder.peak = Math.max(recorder.peak, underWay.size);
      try {
        const response = await fetch(url, init);
        // Under way until the client has all of it.
        const text = await response.text();
        return new Response(text, { status: response.status, headers: response.headers });
      } finally {
        underWay.delete(sent);
      }
    },
  };
  return recorder;
}

function readRequest(url: string, init: RequestInit): SentRequest {
  const { pathname, searchParams } = new URL(url);
  const body = typeof init.body === "string" ? init.body : "";
  const paths = decodeURIComponent(pathname.replace("/trpc/", "")).split(",");
  const text = init.method === "GET" ? (searchParams.get("input") ?? "{}") : body || "{}";
  const input = JSON.parse(text) as Record<string, { json?: { sessionId?: string } }>;
  const items = searchParams.get("batch") === "1" ? paths.map((_, i) => input[i]) : [input];
  return {
    paths,
    method: init.method ?? "GET",
    url,
    bodyBytes: Buffer.byteLength(body),
    requestId: new Headers(init.headers).get("x-request-id") ?? "",
    sessionIds: items.map(
      (item) => (item as { json?: { sessionId?: string } } | undefined)?.json?.sessionId,
    ),
  };
}
