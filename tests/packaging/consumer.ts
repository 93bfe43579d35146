/** Type-checked and run by the packaging test in a project that has nothing but the packed client. */
import type { KatoClient, KatoErrorCode, KatoOutputs } from "@kato-rpc/client";
import { createKatoClient, isKatoError, KatoError } from "@kato-rpc/client";

type Observed = KatoOutputs["session"]["observe"];

/** What a program does with the client; gives what the test looks at, as JSON. */
export async function exerciseClient(url: string): Promise<string> {
  const client: KatoClient = createKatoClient({ url, timeoutMs: 20_000 });
  try {
    const session = await client.session.create({
      nodeId: "packed",
      config: { sortSymbols: true },
    });
    const replies: Observed[] = await Promise.all(
      Array.from({ length: 250 }, (_, i) => session.observe({ strings: [`b${i}`, `a${i}`] })),
    );
    const { stm, length } = await session.stm();
    const code: KatoErrorCode | undefined = await client.session
      .attach("no-such-session")
      .get()
      .then(
        () => undefined,
        (error: unknown) =>
          isKatoError(error, "SESSION_NOT_FOUND") && error instanceof KatoError
            ? error.code
            : undefined,
      );
    const info = await client.raw.session.get.query({ sessionId: session.sessionId });
    const createdAt: Date = info.createdAt;
    return JSON.stringify({
      times: replies.map(({ time }) => time),
      first: stm[0],
      length,
      code,
      isDate: createdAt instanceof Date,
    });
  } finally {
    await client.close();
  }
}
